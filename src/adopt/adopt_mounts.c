/* What is mounted into a service, and where its data lie.
 *
 *   SOURCE:TARGET[:MODE]   SOURCE is a path when it begins with ".", "/" or "~", else the name of a volume
 *   TARGET                 a volume without a name
 *   { type, source, target, … } */
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "adopt/adopt_internal.h"
#include "core/error.h"
#include "core/file.h"
#include "core/mem.h"
#include "core/str.h"
#include "render/escape.h"

/* ---- the list ---- */

static char *trimmed_path(const char *path, size_t len)
{
	while (len > 1 && path[len - 1] == '/')
		len--;
	return mem_strndup(path, len);
}

/* "~" is the user's home; everything else stays as it stands. */
static char *host_path(struct reader *reader, const char *source, size_t len)
{
	AUTO(str)
	char *home = *source == '~' && (len == 1 || source[1] == '/')
			     ? reader_variable(reader, "HOME")
			     : NULL;
	if (!home)
		return trimmed_path(source, len);
	return mem_printf("%s%.*s", home, (int)(len - 1), source + 1);
}

static void add_mount(struct reader *reader, struct part *part, const struct mount *mount)
{
	if (part->mount_count < MOUNTS_MAX) {
		part->mounts[part->mount_count++] = *mount;
		return;
	}
	source_fail(&reader->compose, mount->node, "there are more than %d volumes", MOUNTS_MAX);
	free(mount->source);
	free(mount->target);
}

static void read_short(struct reader *reader, struct part *part, const struct node *node)
{
	const char *text = node->text, *colon = strchr(text, ':');
	struct mount mount = { .node = node };
	if (colon) {
		const char *target = colon + 1;
		mount.is_directory = *text && strchr("./~", *text);
		mount.source = host_path(reader, text, (size_t)(colon - text));
		mount.target = trimmed_path(target, strcspn(target, ":"));
	} else {
		mount.source = mem_strdup("");
		mount.target = trimmed_path(text, strlen(text));
	}
	add_mount(reader, part, &mount);
}

static void read_long(struct reader *reader, struct part *part, const struct node *node)
{
	const struct source *source = &reader->compose;
	const struct node *type = node_text(source, node, "type");
	const struct node *from = node_text(source, node, "source");
	const struct node *target = node_text(source, node, "target");
	if (!target) {
		source_fail(source, node, "a volume has no target");
		return;
	}
	if (type && !node_says(type, "bind") && !node_says(type, "volume")) {
		add_kept(source, node, advice_override, "%s at %s of %s", type->text, target->text,
			part->name);
		return;
	}
	const char *text = from ? from->text : "";
	struct mount mount = { .node = node,
		.is_directory = node_says(type, "bind"),
		.source = host_path(reader, text, strlen(text)),
		.target = trimmed_path(target->text, strlen(target->text)) };
	add_mount(reader, part, &mount);
}

void mounts_read(struct reader *reader, enum service service)
{
	struct part *part = &reader->parts[service];
	const struct node *list = node_list(&reader->compose, part->node, "volumes");
	for (size_t i = 0; list && i < list->count; i++) {
		const struct node *item = list->children[i];
		if (item->kind == NODE_SCALAR)
			read_short(reader, part, item);
		else
			read_long(reader, part, item);
	}
}

const struct mount *mount_at(struct part *part, const char *path, const char **rest)
{
	struct mount *best = NULL;
	size_t best_len = 0;
	for (size_t i = 0; i < part->mount_count; i++) {
		struct mount *mount = &part->mounts[i];
		size_t len = strlen(mount->target);
		if (len < best_len || strncmp(mount->target, path, len) != 0 ||
			(path[len] && path[len] != '/'))
			continue;
		best = mount;
		best_len = len;
	}
	*rest = best ? path + best_len : NULL;
	if (best)
		best->is_used = true;
	return best;
}

char *mount_host(struct part *part, const char *path)
{
	const char *rest;
	const struct mount *mount = mount_at(part, path, &rest);
	if (!mount || !mount->is_directory)
		return NULL;
	return mem_printf("%s%s", mount->source, rest);
}

bool mount_read(struct reader *reader, struct part *part, const char *path, struct source *out)
{
	AUTO(str) char *name = mount_host(part, path);
	if (!name) {
		add_fault(&reader->compose, part->node, FAULT_FILE_MISSING,
			"the configuration of %s, %s in its container, is not mounted from a file "
			"of this machine",
			part->name, path);
		return false;
	}
	int found = source_read(reader, name, out);
	if (found == 0)
		add_fault(&reader->compose, part->node, FAULT_FILE_MISSING,
			"the configuration of %s, %s, is not there", part->name, name);
	return found > 0;
}

void mounts_list_unused(struct reader *reader)
{
	for (size_t i = 0; i < PART_COUNT; i++) {
		const struct part *part = &reader->parts[i];
		for (size_t k = 0; k < part->mount_count; k++) {
			if (!part->mounts[k].is_used)
				add_kept(&reader->compose, part->mounts[k].node, advice_override,
					"what is mounted at %s of %s", part->mounts[k].target,
					part->name);
		}
	}
}

/* ---- data ---- */

/* The name under which Docker has it: with the project in front, unless the file names it or takes it from
 * outside. Yours. */
static char *volume_name(struct reader *reader, const char *name)
{
	const struct source *source = &reader->compose;
	const struct node *volumes = node_map(source, source->tree.root, "volumes");
	const struct node *volume = node_map(source, volumes, name);
	const struct node *given = node_text(source, volume, "name");
	const struct node *external = node_any(volume, "external");
	if (external && external->kind == NODE_MAP)
		given = node_text(source, external, "name");
	if (given)
		return mem_strdup(given->text);
	if (external && !node_says(external, "false"))
		return mem_strdup(name);
	return mem_printf("%s_%s", reader->project, name);
}

/* Of the first thing in the directory, as whom the container will run (render/owners.h); else of itself. */
static struct stat content_of(const char *path, const struct stat *itself)
{
	struct stat st = *itself;
	struct dirent *entry;
	DIR *stream = opendir(path);
	bool is_found = false;
	while (stream && !is_found && (entry = readdir(stream))) {
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			is_found = fstatat(dirfd(stream), entry->d_name, &st,
					   AT_SYMLINK_NOFOLLOW) == 0;
	}
	if (stream)
		closedir(stream);
	return is_found ? st : *itself;
}

static void report_world_writable(
	struct reader *reader, const struct node *node, const char *path, const struct stat *st)
{
	AUTO(buf) struct buf word = BUF_INIT(BUF_UNLIMITED);
	AUTO(error) struct error ignored = ERROR_INIT;
	add_fault(&reader->compose, node, FAULT_WORLD_WRITABLE,
		"%s can be written by everybody on this machine, who can so change or delete what "
		"was measured",
		path);
	if (!escape_append(ESCAPE_SHELL, slice_str(path), &word, &ignored)) {
		set_remedy(reader, "take the right to write from others: chmod -R o-w");
		return;
	}
	struct stat content = content_of(path, st);
	const char *quoted = buf_str(&word);
	if (content.st_uid == st->st_uid)
		set_remedy(reader, "stop the stack, then: sudo chmod -R o-w %s", quoted);
	else
		set_remedy(reader,
			"stop the stack, then: sudo chown -R %lld:%lld %s && sudo chmod -R o-w %s",
			(long long)content.st_uid, (long long)content.st_gid, quoted, quoted);
}

static void set_place(
	struct reader *reader, const struct mount *mount, const struct adopt_data *data)
{
	const char *key = service_rows[data->service].key;
	AUTO(str) char *place = mem_printf("data.%s", key);
	AUTO(str) char *usual = mem_printf("./data/%s", key);
	if (data->place == ADOPT_DIRECTORY)
		add_setting(&reader->compose, mount->node, "storage", "bind");
	if (data->place != ADOPT_DIRECTORY || strcmp(usual, data->source) != 0)
		add_setting(&reader->compose, mount->node, place, data->source);
	add_data(&reader->compose, mount->node, data);
}

/* As cctm.yaml takes it: beginning with / or ./ Yours. */
static char *place_of(struct reader *reader, const char *source, const char *rest)
{
	AUTO(str) char *name = mem_printf("%s%s", source, rest);
	if (*name == '/' || str_has_prefix(name, "./"))
		return TAKE(name);
	AUTO(str) char *path = source_path(reader, name);
	char *real = realpath(path, NULL);
	return real ? real : TAKE(path);
}

static void read_directory(
	struct reader *reader, enum service service, const struct mount *mount, const char *rest)
{
	struct stat st;
	AUTO(str) char *place = place_of(reader, mount->source, rest);
	AUTO(str) char *path = source_path(reader, place);
	bool exists = stat(path, &st) == 0 && S_ISDIR(st.st_mode);
	const struct adopt_data data = { .service = service,
		.place = ADOPT_DIRECTORY,
		.source = place,
		.exists = exists,
		.is_world_writable = exists && (st.st_mode & S_IWOTH) };
	set_place(reader, mount, &data);
	if (data.is_world_writable)
		report_world_writable(reader, mount->node, path, &st);
}

static void read_volume(
	struct reader *reader, enum service service, const struct mount *mount, const char *rest)
{
	AUTO(str) char *name = volume_name(reader, mount->source);
	const struct adopt_data data = {
		.service = service, .place = ADOPT_VOLUME, .source = name
	};
	if (!*rest) {
		set_place(reader, mount, &data);
		return;
	}
	add_data(&reader->compose, mount->node, &data);
	add_fault(&reader->compose, mount->node, FAULT_VALUE,
		"%s has its data in the directory %s of a volume, and cctm mounts volumes as a "
		"whole",
		service_rows[service].title, rest);
	set_remedy(reader, "the new stack begins with an empty volume; move the data into it");
}

void data_read(struct reader *reader, enum service service, const char *path)
{
	struct part *part = &reader->parts[service];
	const char *rest;
	const struct mount *mount = mount_at(part, path, &rest);
	if (mount && mount->is_directory) {
		read_directory(reader, service, mount, rest);
	} else if (mount && *mount->source) {
		read_volume(reader, service, mount, rest);
	} else {
		const struct adopt_data data = {
			.service = service, .place = ADOPT_NOWHERE, .source = (char[]){ "" }
		};
		add_data(&reader->compose, part->node, &data);
		add_fault(&reader->compose, part->node, FAULT_DATA_LOST,
			"the data of %s at %s lie in its container, or in a volume without a name: "
			"they are lost with it",
			service_rows[service].title, path);
	}
}
