#include "render/owners.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/error.h"
#include "core/file.h"
#include "core/mem.h"

static const struct owner as_the_image = { -1, -1 };

/* Where a service keeps data in a directory; NULL: in a volume, or it has none. Yours. */
static char *directory_of(const struct config *config, const char *dir, enum service service)
{
	bool is_directory;
	if (!service_is_used(config, service) || !service_rows[service].data_path)
		return NULL;
	AUTO(str) char *source = model_data_source(config, service, &is_directory);
	if (!is_directory)
		return NULL;
	return *source == '/' ? TAKE(source) : path_join(dir, source);
}

/* Of the first thing in the directory; false: there is none. */
static bool find_content(const char *path, struct stat *st)
{
	bool is_found = false;
	struct dirent *entry;
	DIR *stream = opendir(path);
	while (stream && !is_found && (entry = readdir(stream))) {
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			is_found =
				fstatat(dirfd(stream), entry->d_name, st, AT_SYMLINK_NOFOLLOW) == 0;
	}
	if (stream)
		closedir(stream);
	return is_found;
}

static struct owner owner_of(const char *path, const char *dir, enum service service)
{
	struct stat st;
	const struct service_row *row = &service_rows[service];
	/* What cannot be looked into belongs to somebody else already: the image's user, as a rule. */
	bool is_there = stat(path, &st) == 0;
	if (is_there && access(path, R_OK) < 0)
		return as_the_image;
	if (!find_content(path, &st) && !is_there && stat(dir, &st) < 0)
		return as_the_image;
	if (st.st_uid == 0 || (int64_t)st.st_uid == row->image_uid)
		return as_the_image;
	return (struct owner){ st.st_uid, st.st_gid };
}

void owners_find(const struct config *config, const char *dir, struct owner out[SERVICE_COUNT])
{
	for (enum service s = 0; s < SERVICE_COUNT; s++) {
		AUTO(str) char *path = directory_of(config, dir, s);
		out[s] = path ? owner_of(path, dir, s) : as_the_image;
	}
}

static bool give(
	const char *path, const struct owner *owner, enum service service, struct error *err)
{
	const struct service_row *row = &service_rows[service];
	bool is_image = owner->uid < 0;
	uid_t uid = (uid_t)(is_image ? row->image_uid : owner->uid);
	gid_t gid = (gid_t)(is_image ? row->image_gid : owner->gid);
	if (geteuid() != 0 || chown(path, uid, gid) == 0)
		return true;
	return error_set_errno(
		err, ERR_IO, errno, "cannot give %s to user %lld", path, (long long)uid);
}

bool owners_make_directories(const struct config *config, const char *dir,
	const struct owner owners[SERVICE_COUNT], struct error *err)
{
	for (enum service s = 0; s < SERVICE_COUNT; s++) {
		struct stat st;
		AUTO(str) char *path = directory_of(config, dir, s);
		if (!path || stat(path, &st) == 0)
			continue;
		if (!dir_make(path, 0750, err) || !give(path, &owners[s], s, err))
			return error_wrap(
				err, "making the directory for %s", service_rows[s].title);
	}
	return true;
}

bool owners_close_directories(const struct config *config, const char *dir, struct error *err)
{
	struct owner owners[SERVICE_COUNT];
	owners_find(config, dir, owners);
	for (enum service s = 0; geteuid() == 0 && s < SERVICE_COUNT; s++) {
		struct stat st;
		AUTO(str) char *path = directory_of(config, dir, s);
		if (!path || stat(path, &st) < 0 || !(st.st_mode & S_IWOTH))
			continue;
		if (!give(path, &owners[s], s, err))
			return false;
		if (chmod(path, 0750) < 0)
			return error_set_errno(err, ERR_IO, errno, "cannot close %s", path);
	}
	return true;
}
