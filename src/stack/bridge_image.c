#include "stack/bridge_image.h"

#include <errno.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "archive/tar.h"
#include "core/buf.h"
#include "core/error.h"
#include "core/hash128.h"
#include "core/mem.h"
#include "core/proc.h"
#include "core/text.h"

#define LAYOUT	  1 /* counted up when what is put in changes */
#define ASK_MS	  10000
#define IMPORT_MS 120000
#define SAID_MAX  300
#define FILES_MAX 200
#define LABEL	  "cctm.program"
#define NOBODY	  65534
#define PROGRAM	  "bin/cctm"
#define DATA_PATH "var/lib/cctm"

/* The program's own file, its libraries and the loader. */
struct files {
	char *paths[FILES_MAX]; /* the first is the program */
	size_t count;
};

static void add(struct files *files, const char *path)
{
	if (files->count < FILES_MAX)
		files->paths[files->count++] = mem_strdup(path);
}

/* What the loader has put into this process: names with a slash are files. */
static int see(struct dl_phdr_info *info, size_t size, void *ctx)
{
	(void)size;
	if (info->dlpi_name && *info->dlpi_name == '/')
		add(ctx, info->dlpi_name);
	return 0;
}

static bool find_files(struct files *out, struct error *err)
{
	AUTO(str) char *self = proc_self(err);
	if (!self)
		return false;
	add(out, self);
	dl_iterate_phdr(see, out);
	return true;
}

static void clear(struct files *files)
{
	for (size_t i = 0; i < files->count; i++)
		free(files->paths[i]);
}

/* Of names, sizes and times: another build, or another library, is another image. */
static void fingerprint(const struct files *files, char out[HASH128_DIGITS + 1])
{
	AUTO(buf) struct buf all = BUF_INIT(BUF_UNLIMITED);
	buf_addf(&all, "%d\n", LAYOUT);
	for (size_t i = 0; i < files->count; i++) {
		struct stat st = { 0 };
		if (stat(files->paths[i], &st) == 0)
			buf_addf(&all, "%s %lld %lld.%09ld\n", files->paths[i],
				(long long)st.st_size, (long long)st.st_mtim.tv_sec,
				st.st_mtim.tv_nsec);
	}
	hash128_hex(all.data, all.len, out);
}

/* ---- the engine ---- */

enum found { FOUND_NONE, FOUND_OURS, FOUND_OLD, FOUND_THEIRS };

static enum found look(const char *engine, const char *image, const char *hash)
{
	const char *const argv[] = { engine, "image", "inspect", "--format",
		"[{{index .Config.Labels \"" LABEL "\"}}]", image, NULL };
	const struct proc_request request = {
		.argv = argv, .deadline_ms = ASK_MS, .output_max = 4096
	};
	AUTO(error) struct error ignored = ERROR_INIT;
	AUTO(proc_result) struct proc_result result = { 0 };
	if (!proc_run(&request, &result, &ignored) || result.end != PROC_EXITED || result.status)
		return FOUND_NONE;
	AUTO(str) char *line = text_first_line(buf_str(&result.out), SAID_MAX);
	AUTO(str) char *ours = mem_printf("[%s]", hash);
	if (strcmp(line, ours) == 0)
		return FOUND_OURS;
	return strcmp(line, "[]") == 0 || strcmp(line, "[<no value>]") == 0 ? FOUND_THEIRS
									    : FOUND_OLD;
}

static size_t folder_len(const char *path)
{
	return (size_t)(strrchr(path, '/') - path);
}

/* Is a file of the same folder in front of it? */
static bool is_known_folder(const struct files *files, size_t at)
{
	size_t len = folder_len(files->paths[at]);
	for (size_t i = 1; i < at; i++) {
		if (folder_len(files->paths[i]) == len &&
			strncmp(files->paths[i], files->paths[at], len) == 0)
			return true;
	}
	return false;
}

/* Where the loader looks for libraries that do not lie in its own folders. Yours. */
static char *library_path(const struct files *files)
{
	AUTO(buf) struct buf path = BUF_INIT(BUF_UNLIMITED);
	for (size_t i = 1; i < files->count; i++) {
		if (!is_known_folder(files, i))
			buf_addf(&path, "%s%.*s", path.len ? ":" : "",
				(int)folder_len(files->paths[i]), files->paths[i]);
	}
	return mem_strdup(buf_str(&path));
}

static bool import(const char *engine, const char *image, const struct files *files,
	const char *hash, struct slice tar, struct error *err)
{
	AUTO(str) char *libraries = library_path(files);
	AUTO(str) char *environment = mem_printf("ENV LD_LIBRARY_PATH=%s", libraries);
	AUTO(str) char *label = mem_printf("LABEL " LABEL "=%s", hash);
	const char *const argv[] = { engine, "import", "--change", "ENTRYPOINT [\"/" PROGRAM "\"]",
		"--change", "USER 65534:65534", "--change", environment, "--change", label, "-",
		image, NULL };
	const struct proc_request request = {
		.argv = argv, .input = tar, .deadline_ms = IMPORT_MS, .output_max = 65536
	};
	AUTO(proc_result) struct proc_result result = { 0 };
	return proc_ask(&request, &result, err);
}

/* ---- the image ---- */

static bool fill(struct tar *tar, const struct files *files, struct error *err)
{
	static const struct tar_attributes program = { .mode = 0755 };
	static const struct tar_attributes data = { 0700, NOBODY, NOBODY };
	static const struct tar_attributes scratch = { .mode = 01777 };
	for (size_t i = 0; i < files->count; i++) {
		const char *path = i ? files->paths[i] + 1 : PROGRAM;
		if (!tar_add_file(tar, path, files->paths[i], &program, err))
			return false;
	}
	return tar_add_folder(tar, DATA_PATH, &data, err) &&
	       tar_add_folder(tar, "tmp", &scratch, err);
}

static bool make(const char *engine, const char *image, const struct files *files, const char *hash,
	struct error *err)
{
	AUTO(tar) struct tar *tar = tar_new(err);
	AUTO(buf) struct buf bytes = BUF_INIT(BUF_UNLIMITED);
	return tar && fill(tar, files, err) && tar_finish(tar, &bytes, err) &&
	       import(engine, image, files, hash, buf_slice(&bytes), err);
}

bool bridge_image_ensure(
	const struct compose *compose, const char *image, bool *is_made, struct error *err)
{
	struct files files = { .count = 0 };
	char hash[HASH128_DIGITS + 1];
	const char *engine = compose_engine(compose);
	*is_made = false;
	bool is_there = find_files(&files, err);
	if (is_there) {
		fingerprint(&files, hash);
		enum found found = look(engine, image, hash);
		*is_made = found == FOUND_NONE || found == FOUND_OLD;
		is_there = !*is_made || make(engine, image, &files, hash, err) ||
			   error_wrap(err, "the bridge's image %s cannot be made", image);
	}
	clear(&files);
	return is_there;
}
