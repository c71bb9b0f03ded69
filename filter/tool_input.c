/* SPDX-License-Identifier: ISC */
/* Reads what is to be judged, as it is and never too much: see tool_input.h. */
#include "filter/tool_input.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/limits.h"
#include "common/log.h"

/* One octet more than the bound tells that there is more. */
#define ROOM (LIMIT_LINT_INPUT + 1)

static bool
read_all(int fd, struct tool_input *input)
{
	ssize_t n;

	while (input->bytes.len < ROOM) {
		n = read(fd, input->block + input->bytes.len,
		    ROOM - input->bytes.len);
		if (n == 0)
			return true;
		if (n > 0)
			input->bytes.len += (size_t)n;
		else if (errno != EINTR)
			return false;
	}
	input->is_too_large = true;
	input->bytes.len = LIMIT_LINT_INPUT;
	return true;
}

bool
tool_input_read(const char *path, struct tool_input *out)
{
	bool is_stdin = path == NULL || strcmp(path, "-") == 0;
	const char *name = is_stdin ? "standard input" : path;
	int fd = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
	bool ok = false;

	*out = (struct tool_input){ .block = malloc(ROOM) };
	if (out->block == NULL)
		fatal("out of memory");
	out->bytes.p = out->block;
	if (is_stdin && isatty(fd))
		log_warning("reading from the terminal, up to Ctrl-D");
	ok = fd != -1 && read_all(fd, out);
	if (!ok) {
		log_error("%s: %s", name, strerror(errno));
		tool_input_cleanup(out);
	}
	if (!is_stdin && fd != -1)
		close(fd);
	return ok;
}

void
tool_input_cleanup(struct tool_input *input)
{
	free(input->block);
	*input = (struct tool_input){ .block = NULL };
}
