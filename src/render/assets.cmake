# cmake -D FOLDER=templates -D GLOB=* -D HEADER=render/assets.h -D TYPE=asset -D LIST=render_assets -D OUT=bytes.c -P assets.cmake
# Writes the files under FOLDER that match GLOB as bytes into OUT, sorted by path: LIST of struct TYPE, and LIST_count.

file(GLOB_RECURSE paths RELATIVE ${FOLDER} ${FOLDER}/${GLOB})
list(SORT paths)
set(arrays "")
set(rows "")
set(index 0)
foreach(path IN LISTS paths)
  file(READ ${FOLDER}/${path} hex HEX)
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
  string(APPEND arrays "static const unsigned char bytes_${index}[] = { ${bytes} };\n")
  string(APPEND rows "\t{ \"${path}\", bytes_${index}, sizeof bytes_${index} },\n")
  math(EXPR index "${index} + 1")
endforeach()
file(WRITE ${OUT} "#include \"${HEADER}\"\n\n${arrays}\nconst struct ${TYPE} ${LIST}[] = {\n${rows}};\n"
  "const size_t ${LIST}_count = sizeof ${LIST} / sizeof *${LIST};\n")
