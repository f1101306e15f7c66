# Python environments for scripts that source this; `cache` is the folder that they are made in.
cache="$HOME/.cache/sluice"

as_root() {
    if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi
}

# A half-made environment of an earlier run is made anew.
make_venv() {
    python3 -m venv --clear "$1" && "$1/bin/python" -m pip --version >/dev/null
}

# Installs the packages of a list into an environment, unless those installed are the ones asked for.
environment() {
    local venv="$1" wanted="$2"
    if cmp --silent "$wanted" "$venv/requirements.txt" && "$venv/bin/python" --version >/dev/null; then
        return
    fi
    mkdir -p "$(dirname "$venv")" || return
    if ! make_venv "$venv"; then
        as_root apt-get update --quiet
        as_root apt-get install --quiet --yes python3-venv
        make_venv "$venv" || return
    fi
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --requirement "$wanted" || return
    cp "$wanted" "$venv/requirements.txt"
}
