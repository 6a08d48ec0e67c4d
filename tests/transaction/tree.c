#include "tree.h"

#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/error.h"
#include "core/file.h"
#include "core/mem.h"
#include "core/tempdir_testing.h"

static const struct {
	const char *path, *text;
	mode_t mode;
} files[] = {
	{ "stack/untouched", "untouched", 0640 },
	{ "stack/replaced", "former", 0644 },
	{ "stack/.env", "PASSWORD=former", 0600 },
	{ "stack/script", "former script", 0755 },
	{ "stack/config/replaced", "former", 0644 },
	{ "stack/config/removed", "former and then gone", 0640 },
	{ "beside/file", "former, behind a link", 0644 },
	{ "beside/folder/replaced", "former, below a link", 0644 },
};

static const struct {
	const char *path, *text;
} links[] = {
	{ "stack/link", "../beside/file" },
	{ "stack/folder", "../beside/folder" },
	{ "stack/removed-link", "../beside/file" },
};

static void make_file(const char *base, const char *name, const char *text, mode_t mode)
{
	AUTO(str) char *path = path_join(base, name);
	AUTO(fd) int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, mode);
	size_t written;
	assert_true(fd_write_all(fd, text, strlen(text), &written));
	assert_int_equal(fchmod(fd, mode), 0);
}

static void make_dir(const char *base, const char *name, mode_t mode)
{
	AUTO(str) char *path = path_join(base, name);
	assert_int_equal(mkdir(path, mode), 0);
	assert_int_equal(chmod(path, mode), 0);
}

void tree_make(struct tree *tree)
{
	tree->base = tempdir_make();
	assert_non_null(tree->base);
	tree->root = path_join(tree->base, "stack");
	tree->state = path_join(tree->root, ".cctm");
	make_dir(tree->base, "stack", 0755);
	make_dir(tree->base, "stack/.cctm", 0700);
	make_dir(tree->base, "stack/config", 0755);
	make_dir(tree->base, "beside", 0755);
	make_dir(tree->base, "beside/folder", 0700);
	for (size_t i = 0; i < sizeof files / sizeof *files; i++)
		make_file(tree->base, files[i].path, files[i].text, files[i].mode);
	for (size_t i = 0; i < sizeof links / sizeof *links; i++) {
		AUTO(str) char *path = path_join(tree->base, links[i].path);
		assert_int_equal(symlink(links[i].text, path), 0);
	}
}

void tree_remove(struct tree *tree)
{
	assert_int_equal(tempdir_remove(tree->base), 0);
	free(tree->root);
	free(tree->state);
}

static void put(struct transaction *t, const char *path, const char *text, mode_t mode)
{
	transaction_put(t, path, text, strlen(text), mode);
}

struct transaction *tree_change(const struct tree *tree)
{
	struct transaction *t = transaction_new(tree->root, tree->state);
	put(t, "replaced", "new", 0644);
	put(t, ".env", "PASSWORD=new", 0600);
	transaction_update(t, "script", "new script", 10, 0644);
	put(t, "config/replaced", "new", 0600);
	transaction_remove(t, "config/removed");
	transaction_remove(t, "never-there");
	put(t, "link", "new, behind a link", 0644);
	put(t, "folder/replaced", "new, below a link", 0644);
	put(t, "folder/made/below", "new", 0644);
	transaction_remove(t, "removed-link");
	put(t, "made", "", 0400);
	put(t, "deep/er/and/deeper/made", "new", 0644);
	put(t, "deep/er/made", "new", 0600);
	transaction_dir_mode(t, "deep/er", 0700);
	return t;
}

struct transaction *tree_change_again(const struct tree *tree)
{
	struct transaction *t = transaction_new(tree->root, tree->state);
	put(t, "replaced", "newer", 0644);
	put(t, "link", "newer", 0644);
	put(t, "deep/er/made", "newer", 0600);
	transaction_remove(t, "config/removed");
	transaction_remove(t, "made");
	return t;
}

/* ---- looking ---- */

static void look_at(const char *path, const char *name, struct buf *out);

static void look_below(const char *dir, const char *name, struct buf *out)
{
	struct dirent **entries;
	int count = scandir(dir, &entries, NULL, alphasort);
	assert_true(count >= 0);
	for (int i = 0; i < count; i++) {
		const char *entry = entries[i]->d_name;
		AUTO(str) char *path = path_join(dir, entry);
		AUTO(str) char *full_name = path_join(name, entry);
		if (strcmp(entry, ".") != 0 && strcmp(entry, "..") != 0)
			look_at(path, full_name, out);
		free(entries[i]);
	}
	free(entries);
}

static void look_at(const char *path, const char *name, struct buf *out)
{
	struct stat st;
	assert_int_equal(lstat(path, &st), 0);
	buf_addf(out, "%s %04o ", name, st.st_mode & 07777);
	if (S_ISLNK(st.st_mode)) {
		char text[256];
		ssize_t len = readlink(path, text, sizeof text);
		assert_true(len >= 0);
		buf_addf(out, "-> %.*s\n", (int)len, text);
	} else if (S_ISDIR(st.st_mode)) {
		buf_adds(out, "/\n");
		look_below(path, name, out);
	} else {
		AUTO(buf) struct buf text = BUF_INIT(1 << 20);
		AUTO(error) struct error err = ERROR_INIT;
		assert_int_equal(file_read(path, &text, &err), 1);
		buf_addf(out, "links %ld: %s\n", (long)st.st_nlink, buf_str(&text));
	}
}

char *tree_look(const struct tree *tree)
{
	struct buf out = BUF_INIT(BUF_UNLIMITED);
	look_below(tree->base, "", &out);
	return buf_detach(&out);
}
