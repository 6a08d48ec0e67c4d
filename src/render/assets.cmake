# cmake -D FOLDER=templates -D OUT=assets_bytes.c -P assets.cmake
# Writes every file under FOLDER as bytes into OUT, sorted by path, for render/assets.h.

file(GLOB_RECURSE paths RELATIVE ${FOLDER} ${FOLDER}/*)
list(SORT paths)
set(arrays "")
set(rows "")
set(index 0)
foreach(path IN LISTS paths)
  file(READ ${FOLDER}/${path} hex HEX)
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
  string(APPEND arrays "static const unsigned char asset_${index}[] = { ${bytes} };\n")
  string(APPEND rows "\t{ \"${path}\", asset_${index}, sizeof asset_${index} },\n")
  math(EXPR index "${index} + 1")
endforeach()
file(WRITE ${OUT} "#include \"render/assets.h\"\n\n${arrays}\nconst struct asset render_assets[] = {\n${rows}};\n"
  "const size_t render_asset_count = sizeof render_assets / sizeof *render_assets;\n")
