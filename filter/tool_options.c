/* SPDX-License-Identifier: ISC */
/* The options of a verb, from a table to getopt_long(): see tool_options.h. */
#include "filter/tool_options.h"

#include <assert.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "filter/tool.h"

/* What getopt_long() returns for the option at an index of the table. */
#define OPTION_BASE 256

/* The short options as getopt wants them. */
struct letters {
	char text[1 + 2 * TOOL_OPTIONS_MAX + 1];
	size_t len;
};

static void
letters_add(struct letters *letters, char letter, bool takes_value)
{
	if (letter == 0)
		return;
	letters->text[letters->len++] = letter;
	if (takes_value)
		letters->text[letters->len++] = ':';
}

static size_t
index_of(int c, const struct tool_option *options, size_t n)
{
	size_t i = 0;

	if (c >= OPTION_BASE)
		return (size_t)(c - OPTION_BASE);
	while (i < n && options[i].letter != c)
		i++;
	return i;
}

int
tool_options_wrong(const char *verb, const char *usage, const char *why)
{
	fprintf(stderr, "strictmx %s: %s\n%s", verb, why, usage);
	return TOOL_USAGE;
}

int
tool_options_read(const char *verb, const char *usage,
    const struct tool_option *options, size_t n, int argc, char **argv)
{
	struct option longs[TOOL_OPTIONS_MAX + 2] = {
		{ "help", no_argument, NULL, 'h' },
	};
	struct letters letters = { "h", 1 };
	static char name[64]; /* getopt's messages begin with argv[0] */
	int c;

	assert(n <= TOOL_OPTIONS_MAX);
	for (size_t i = 0; i < n; i++) {
		longs[i + 1] = (struct option){ options[i].name,
			options[i].value != NULL, NULL, OPTION_BASE + (int)i };
		letters_add(&letters, options[i].letter,
		    options[i].value != NULL);
	}
	snprintf(name, sizeof(name), "strictmx %s", verb);
	argv[0] = name;
	while ((c = getopt_long(argc, argv, letters.text, longs, NULL)) != -1) {
		size_t at = index_of(c, options, n);

		if (c == 'h') {
			fputs(usage, stdout);
			return TOOL_FINE;
		}
		if (at >= n) {
			fputs(usage, stderr);
			return TOOL_USAGE;
		}
		if (options[at].value != NULL)
			*options[at].value = optarg;
		else
			*options[at].flag = true;
	}
	return -1;
}

static bool
is_one_of(const char *s, const char *a, const char *b)
{
	return strcmp(s, a) == 0 || strcmp(s, b) == 0;
}

int
tool_subject_run(const char *verb, const char *usage,
    const struct tool_subject *subjects, size_t n, int argc, char **argv)
{
	int at = 1;

	while (at < argc && is_one_of(argv[at], "--json", "-j"))
		at++;
	if (at == argc)
		return tool_options_wrong(verb, usage,
		    "there is a word missing");
	if (is_one_of(argv[at], "--help", "-h")) {
		fputs(usage, stdout);
		return TOOL_FINE;
	}
	for (size_t i = 0; i < n; i++) {
		if (strcmp(argv[at], subjects[i].name) != 0)
			continue;
		if (at == 1)
			return subjects[i].run(argc - 1, argv + 1);
		/* It changes places with the --json before it. */
		argv[at] = argv[at - 1];
		return subjects[i].run(argc - at + 1, argv + at - 1);
	}
	return tool_options_wrong(verb, usage, "that is not known here");
}
