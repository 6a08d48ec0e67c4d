# Sourced by scripts/run and scripts/test: what both need from the machine, and how both build.
# shellcheck shell=bash disable=SC2034

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/cctm-tests

build_packages=(gcc libc6-dev cmake pkg-config ninja-build libevent-dev libjansson-dev libsqlite3-dev
	libnghttp2-dev zlib1g-dev libxxhash-dev libyaml-dev libcurl4-openssl-dev libarchive-dev python3)

say() {
	printf '\n== %s\n' "$*" >&2
}

die() {
	printf '%s: %s\n' "${0##*/}" "$*" >&2
	exit 1
}

as_root() {
	if [[ $EUID -eq 0 ]]; then
		"$@"
	elif command -v sudo >/dev/null; then
		sudo "$@"
	else
		die "cannot install packages: neither root nor sudo; as root: $*"
	fi
}

is_installed() {
	[[ $(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null) == installed ]]
}

# Installs those of the named Debian packages that are missing, and says which.
need_packages() {
	local package missing=()
	if ! command -v apt-get >/dev/null; then
		say "no apt-get here; these (Debian names) must be installed: $*"
		return
	fi
	for package in "$@"; do
		is_installed "$package" || missing+=("$package")
	done
	((${#missing[@]})) || return 0
	say "installing: ${missing[*]}"
	as_root apt-get update -q >&2
	as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${missing[@]}" >&2
}

# configure FOLDER OPTION…: a build folder keeps its generator; a new one takes ninja where there is one.
configure() {
	local folder=$1
	shift
	local options=(-S "$root" -B "$folder" "$@")
	if [[ ! -f $folder/CMakeCache.txt ]] && command -v ninja >/dev/null; then
		options+=(-G Ninja)
	fi
	if command -v ccache >/dev/null; then
		options+=(-DCMAKE_C_COMPILER_LAUNCHER=ccache)
	fi
	cmake "${options[@]}" >&2
}

# build FOLDER TARGET…
build() {
	local folder=$1
	shift
	cmake --build "$folder" --parallel "$(nproc)" ${1:+--target "$@"} >&2
}
