/* For this room's tests: a stack in a directory of its own, and what one may say about its adoption. */
#ifndef CCTM_ADOPT_ADOPT_TESTING_H
#define CCTM_ADOPT_ADOPT_TESTING_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "adopt/adopt.h"
#include "core/buf.h"
#include "core/error.h"
#include "core/file.h"
#include "core/mem.h"
#include "core/tempdir_testing.h"

struct stack {
	char *root; /* of the test */
	char *dir;  /* of the stack, inside it */
	struct adoption adopted;
	struct error err;
};

static inline void stack_make_file(const struct stack *stack, const char *name, const char *text)
{
	AUTO(error) struct error err = ERROR_INIT;
	AUTO(str) char *path = path_join(stack->dir, name);
	AUTO(str) char *above = mem_strdup(path);
	*strrchr(above, '/') = '\0';
	if (!dir_make(above, 0755, &err) ||
		!file_write_atomic(path, text, strlen(text), 0644, &err))
		fail_msg("%s", err.message);
}

/* `name` is the directory's, and so the project's. */
static inline struct stack stack_new(const char *name)
{
	struct stack stack = { .err = ERROR_INIT };
	AUTO(error) struct error err = ERROR_INIT;
	stack.root = tempdir_make();
	assert_non_null(stack.root);
	stack.dir = path_join(stack.root, name);
	assert_true(dir_make(stack.dir, 0755, &err));
	return stack;
}

static inline void stack_copy_file(const struct stack *stack, const char *from, const char *name)
{
	AUTO(error) struct error err = ERROR_INIT;
	AUTO(buf) struct buf text = BUF_INIT(1 << 20);
	AUTO(str) char *path = mem_printf("tests/data/adopt/%s/%s", from, name);
	if (file_read(path, &text, &err) != 1)
		fail_msg("%s", err.message ? err.message : path);
	stack_make_file(stack, name, buf_str(&text));
}

static inline void stack_end(struct stack *stack)
{
	adoption_clear(&stack->adopted);
	error_clear(&stack->err);
	free(stack->dir);
	assert_int_equal(tempdir_remove(stack->root), 0);
}

static inline bool stack_try(struct stack *stack, const char *(*variable)(const char *name))
{
	const struct adopt_request request = { .dir = stack->dir, .variable = variable };
	return adopt_read(&request, &stack->adopted, &stack->err);
}

static inline void stack_adopt(struct stack *stack)
{
	if (!stack_try(stack, NULL))
		fail_msg("%s", stack->err.message);
}

/* A stack of one docker-compose.yml, adopted. */
static inline struct stack stack_of(const char *compose)
{
	struct stack stack = stack_new("metrics");
	stack_make_file(&stack, "docker-compose.yml", compose);
	stack_adopt(&stack);
	return stack;
}

/* Yours to free with the stack; fails when the file is taken. */
static inline void assert_refused(const char *compose, const char *message)
{
	struct stack stack = stack_new("metrics");
	stack_make_file(&stack, "docker-compose.yml", compose);
	if (stack_try(&stack, NULL))
		fail_msg("taken, and should be refused: %s", message);
	assert_string_equal(stack.err.message, message);
	stack_end(&stack);
}

static inline const struct adopt_setting *setting_of(const struct stack *stack, const char *key)
{
	const struct adoption *adopted = &stack->adopted;
	for (size_t i = 0; i < adopted->setting_count; i++) {
		if (strcmp(adopted->settings[i].key, key) == 0)
			return &adopted->settings[i];
	}
	return NULL;
}

static inline void assert_setting(
	const struct stack *stack, const char *key, const char *text, const char *where)
{
	const struct adopt_setting *setting = setting_of(stack, key);
	if (!setting) {
		fail_msg("%s is not set", key);
		abort(); /* fail_msg does not come back, but does not say so */
	}
	assert_string_equal(setting->text, text);
	if (where)
		assert_string_equal(setting->where, where);
}

static inline void assert_no_setting(const struct stack *stack, const char *key)
{
	const struct adopt_setting *setting = setting_of(stack, key);
	if (setting)
		fail_msg("%s is set to %s", key, setting->text);
}

static inline const struct adopt_fault *fault_of(const struct stack *stack, const char *id)
{
	const struct adoption *adopted = &stack->adopted;
	for (size_t i = 0; i < adopted->fault_count; i++) {
		if (strcmp(fault_rows[adopted->faults[i].fault].id, id) == 0)
			return &adopted->faults[i];
	}
	return NULL;
}

static inline const struct adopt_fault *assert_fault(
	const struct stack *stack, const char *id, const char *where)
{
	const struct adopt_fault *fault = fault_of(stack, id);
	if (!fault) {
		fail_msg("there is no fault %s", id);
		abort();
	}
	if (where)
		assert_string_equal(fault->where, where);
	assert_true(*fault->what && *fault->remedy);
	return fault;
}

static inline void assert_no_fault(const struct stack *stack, const char *id)
{
	const struct adopt_fault *fault = fault_of(stack, id);
	if (fault)
		fail_msg("%s at %s: %s", id, fault->where, fault->what);
}

static inline void assert_kept(const struct stack *stack, const char *what, const char *where)
{
	const struct adoption *adopted = &stack->adopted;
	for (size_t i = 0; i < adopted->kept_count; i++) {
		if (strcmp(adopted->kept[i].what, what) != 0)
			continue;
		assert_string_equal(adopted->kept[i].where, where);
		assert_true(*adopted->kept[i].advice);
		return;
	}
	fail_msg("not listed as kept: %s", what);
}

#endif
