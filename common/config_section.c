/* SPDX-License-Identifier: ISC */
/* The sections of strictmx.conf(5): see config_section.h. */
#include "common/config_section.h"

const struct config_section *const config_sections[CONFIG_SECTIONS] = {
	&config_main_section,
	&config_exim_section,
	&config_policy_section,
	&config_relay_section,
	&config_socketmap_section,
};

const struct config_section *
config_section_find(struct span name)
{
	for (size_t i = 0; i < CONFIG_SECTIONS; i++)
		if (span_is(name, config_sections[i]->name))
			return config_sections[i];
	return NULL;
}

const struct config_key *
config_key_find(const struct config_section *section, struct span name)
{
	for (size_t i = 0; i < section->n_keys; i++)
		if (span_is(name, section->keys[i].name))
			return &section->keys[i];
	return NULL;
}
