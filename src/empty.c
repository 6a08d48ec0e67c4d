/* Gives the link check of a room a source of its own. */
typedef int cctm_empty_translation_unit;
