# SPDX-License-Identifier: MIT
"""What shells complete the command lines of sft and sftd with."""

import functools
import os
import re
import shutil
import subprocess

import pytest
from conftest import ROOT, Terminal, program

SERVER = os.environ.get("SFTD", str(ROOT / "build" / "sftd"))
SHELLS = ("bash", "zsh", "fish")
SCRIPTS = {
    "sft": lambda shell: [program(), "completion", shell],
    "sftd": lambda shell: [SERVER, "--completion", shell],
}

# Sources a script (1st argument).  Has it complete the lines of standard input,
# each followed by its words as bash divides them, and writes what there is for
# each, a line each, and a line that ends it.
DRIVER = r"""
source "$1"
while IFS=$'\x1f' read -r -a COMP_WORDS; do
    COMP_LINE=${COMP_WORDS[0]}
    COMP_POINT=${#COMP_LINE}
    COMP_CWORD=$((${#COMP_WORDS[@]} - 3))
    COMP_WORDS=("${COMP_WORDS[@]:1:COMP_CWORD+1}")
    f=$(complete -p "${COMP_WORDS[0]##*/}")
    f=${f#*-F }
    "${f%% *}" "${COMP_WORDS[0]}" "${COMP_WORDS[COMP_CWORD]}" ""
    ((${#COMPREPLY[@]} == 0)) || printf '%s\n' "${COMPREPLY[@]}"
    echo .
done
"""


def script(name, shell):
    return subprocess.run(
        SCRIPTS[name](shell), stdout=subprocess.PIPE, check=True, text=True
    ).stdout


def divided(line):
    """As bash divides it, at '=' and ':', too."""
    words = [[]]
    for piece in re.findall(r"[=:]|(?:\\.|[^=:\s])+|\s+", line):
        if piece.isspace():
            words.append([])
        else:
            words[-1].append(piece)
    return [piece for word in words for piece in word or [""]]


@pytest.fixture
def bash(sft):
    """bash(line) gives what the line is completed with, bash.all(lines) a list
    of that; the name of the program at their start stands for the program."""

    class Bash:
        def all(self, lines):
            name = lines[0].split()[0]
            path = sft.place / f"{name}.bash"
            path.write_text(script(name, "bash"))
            whole = [
                re.sub(f"^{name}(?= )", SCRIPTS[name]("")[0], line) for line in lines
            ]
            result = subprocess.run(
                ["bash", "--norc", "-c", DRIVER, "bash", path],
                input="".join(
                    "\x1f".join([line, *divided(line), ".\n"]) for line in whole
                ),
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=sft.env,
                cwd=sft.place,
                text=True,
            )
            assert result.stderr == "", result.stderr
            found = [[]]
            for line in result.stdout.splitlines():
                if line == ".":
                    found.append([])
                else:
                    found[-1].append(line)
            assert len(found) == len(lines) + 1 and not found.pop()
            return found

        def __call__(self, line):
            return self.all([line])[0]

    return Bash()


def commands():
    """The names of sft's commands, from its help."""
    text = subprocess.run(
        [program(), "--help"], stdout=subprocess.PIPE, check=True, text=True
    ).stdout
    part = text.split("tells more):\n")[1].split("\n\n")[0]
    return [re.split(r"  +", line.strip())[0] for line in part.splitlines()]


@functools.lru_cache(None)
def options(*command):
    """Those that the help names, as (letter, name)."""
    text = subprocess.run(
        [*command, "--help"], stdout=subprocess.PIPE, check=True, text=True
    ).stdout
    return re.findall(r"^  +(?:-(\S), )?--([a-z-]+)", text, re.M)


def own_options(command):
    """A command's, without the global ones."""
    everywhere = options(program())
    return [o for o in options(program(), *command.split()) if o not in everywhere]


def test_bash_has_every_command_and_option(bash):
    assert len(commands()) > 15
    assert bash("sft ") == list(dict.fromkeys(n.split()[0] for n in commands()))
    assert bash("sft key ") == ["new", "list", "revoke"]
    lines = [f"sft {name} -" for name in commands()]
    for name, found in zip(commands(), bash.all(lines)):
        expected = options(program(), *name.split())
        assert ("", "server") in expected
        words = [f"--{word}" for _, word in expected]
        words += [f"-{letter}" for letter, _ in expected if letter]
        assert sorted(found) == sorted(words), name


def test_bash_has_every_option_of_the_server(bash):
    expected = options(SERVER)
    assert ("", "server-port") in expected
    words = [f"--{word}" for _, word in expected]
    words += [f"-{letter}" for letter, _ in expected if letter]
    assert sorted(bash("sftd -")) == sorted(words)
    assert {"verify", "rotate-key"} <= set(bash("sftd "))
    assert bash("sftd --durability ") == ["full", "relaxed"]
    assert bash("sftd --require-api-key=t") == ["true"]
    assert bash("sftd --server-port ") == []
    assert bash("sftd --server-port 1 verify --rep") == ["--repair-records"]
    assert bash("sftd verify --file ") == []


def test_bash_knows_where_it_is(bash):
    cases = {
        "sft up": ["upload"],
        "sft -v up": ["upload"],
        "sft --timeout 3 up": ["upload"],
        "sft --timeout=3 up": ["upload"],
        "sft --timeout ": [],
        "sft --server http://host:80/x st": ["status", "stats"],
        "sft ls --sort ": ["name", "newest", "size"],
        "sft ls --sort n": ["name", "newest"],
        "sft ls --sort=": ["name", "newest", "size"],
        "sft ls --sort=s": ["size"],
        "sft ls --nam": ["--names"],
        "sft ls --nothing=": [],
        "sft ls --names=": [],
        "sft history --status q": ["queued"],
        "sft history --sort ": [],
        "sft upload --if-exists=r": ["replace"],
        "sft completion ": ["bash", "zsh", "fish"],
        "sft completion bash ": [],
        "sft priority a ": [],
        "sft health ": [],
        "sft nonsense ": [],
        "sft key --timeout 3 re": ["revoke"],
        "sft key new --sc": ["--scopes"],
        "sft key new extra ": [],
        "sft upload -- --re": [],
        "sft -- up": ["upload"],
    }
    assert dict(zip(cases, bash.all(list(cases)))) == cases


@pytest.fixture
def filled(start, sft):
    """A server with files, and the key to it in the environment."""
    server = start(REQUIRE_API_KEY="true")
    for name in ("a one", "a two", "b/1", "b/2", "c:1", "c=2", "$d"):
        server.put(name, b"x", headers=server.as_admin)
    sft.env["SFT_SERVER"] = server.url
    sft.env["SFT_API_KEY"] = server.admin_key
    return server


def test_bash_asks_the_server_for_names(bash, filled, sft):
    every = ["$d", "a one", "a two", "b/1", "b/2", "c:1", "c=2"]
    cases = {
        "sft download ": every,
        "sft download b": ["b/1", "b/2"],
        "sft download x ": every,
        "sft download x -o y b/": ["b/1", "b/2"],
        "sft download none": [],
        r"sft rm a\ t": ["a two"],
        "sft metadata c:": ["1"],
        "sft metadata c=": ["2"],
        "sft status --file=b": ["b/1", "b/2"],
        "sft history --filename b": ["b/1", "b/2"],
        "sft cancel b/1 ": [],
        "sft upload --filename b": ["b/1", "b/2"],
        "sft key new --name b": [],
    }
    assert dict(zip(cases, bash.all(list(cases)))) == cases
    # as the line says, and not the environment
    sft.env["SFT_SERVER"] = "http://127.0.0.1:1"
    sft.env["SFT_API_KEY"] = "0123456789abcdef"
    sft.file("key", filled.admin_key.encode())
    assert bash("sft rm b") == []
    there = f"--server {filled.url}"
    assert bash(f"sft {there} rm b") == []
    assert bash(f"sft {there} --key-file ~/key rm b") == ["b/1", "b/2"]
    assert bash(f"sft rm --key-file=key {there} b") == ["b/1", "b/2"]


def needs(shell):
    if shutil.which(shell) is None:
        pytest.skip(f"there is no {shell}")


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("name", SCRIPTS)
def test_syntax(name, shell, tmp_path):
    needs(shell)
    path = tmp_path / "script"
    path.write_text(script(name, shell))
    result = subprocess.run([shell, "-n", path], capture_output=True, text=True)
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


@pytest.mark.parametrize("shell", SHELLS)
def test_scripts_have_every_command_and_option(shell):
    text = script("sft", shell)
    sections = {
        "bash": lambda n: text.split(f"\t'{n}')\n\t\targs=")[1].split(";;")[0],
        "zsh": lambda n: text.split(
            f"\n_sft_command_{n.replace(' ', '_')}()\n"
        )[1].split("\n}\n")[0],
        "fish": lambda n: "\n".join(
            line for line in text.splitlines() if f"'__sft_is sft {n}'" in line
        ),
    }
    own = {"bash": "\n\t\t\t--{}", "zsh": "'--{}", "fish": " -l {} "}
    common = {"bash": "\t\t\t--{}", "zsh": "--{}", "fish": "complete -c sft -l {} "}
    for _, option in options(program()):
        assert common[shell].format(option) in text
    seen = 0
    for name in commands():
        assert name.split()[-1] in text
        for letter, option in own_options(name):
            section = sections[shell](name)
            wanted = own[shell].format(option)
            assert wanted in section or wanted.replace("'", ")") in section
            assert not letter or f"{letter}" in section
            seen += 1
    assert seen > 30


@pytest.fixture
def fish(sft):
    def complete(line, name="sft"):
        needs("fish")
        path = sft.place / f"{name}.fish"
        path.write_text(script(name, "fish"))
        result = subprocess.run(
            [
                "fish", "--no-config", "-c",
                "source $argv[1]; complete -C $argv[2]", path,
                re.sub(f"^{name}(?= )", SCRIPTS[name]("")[0], line),
            ],
            capture_output=True, env=sft.env, cwd=sft.place, text=True,
        )  # fmt: skip
        assert result.stderr == "", result.stderr
        return result.stdout.splitlines()

    return complete


def first_words(lines):
    return [line.split("\t")[0] for line in lines]


def test_fish(fish, filled, sft):
    found = fish("sft ")
    assert sorted(first_words(found)) == sorted({n.split()[0] for n in commands()})
    assert "upload\tsend files to the server" in found
    assert fish("sft key re") == ["revoke\ttake an API key back"]
    assert fish("sft -v --timeout 3 key --json re") == fish("sft key re")
    assert fish("sft --timeout=3 up") == ["upload\tsend files to the server"]
    assert first_words(fish("sft ls --sort ")) == ["name", "newest", "size"]
    assert first_words(fish("sft ls --sort=s")) == ["--sort=size"]
    assert fish("sft ls --nam") == ["--names\ttheir names alone"]
    assert fish("sft rm --nam") == []
    assert first_words(fish("sft completion ")) == ["bash", "fish", "zsh"]
    sft.file("here", b"")
    assert fish("sft upload he") == ["here"]
    assert fish("sft rm he") == []
    assert first_words(fish("sft rm b")) == ["b/1", "b/2"]
    assert first_words(fish("sft rm a\\ t")) == ["a two"]
    assert first_words(fish("sft status --file=b")) == ["--file=b/1", "--file=b/2"]
    sft.env["SFT_SERVER"] = "http://127.0.0.1:1"
    assert fish("sft rm b") == []
    there = f"--server {filled.url}"
    assert first_words(fish(f"sft {there} rm b")) == ["b/1", "b/2"]
    assert first_words(fish("sftd --durability ", "sftd")) == ["full", "relaxed"]
    assert fish("sftd --dur", "sftd")[0].startswith("--durability\t")
    assert "verify\tcheck every stored file" in fish("sftd ", "sftd")
    assert first_words(fish("sftd verify --rep", "sftd")) == ["--repair-records"]
    assert fish("sftd rotate-key --rep", "sftd") == []


PROMPT = "ready> "
READY = {
    "bash": (
        "PS1='{0}'; bind 'set enable-bracketed-paste off'; source {1}; "
        """bind -x '"\\C-xg": echo "<$READLINE_LINE>"'\n"""
    ),
    "zsh": (
        "PS1='{0}'; unset zle_bracketed_paste; autoload -U compinit; "
        "compinit -D; source {1}; shows() {{ zle -I; print -r -- \"<$BUFFER>\" }}; "
        "zle -N shows; bindkey '^xg' shows\n"
    ),
}
COMMANDS = {"bash": ["bash", "--norc", "-i"], "zsh": ["zsh", "-f", "-i"]}


@pytest.fixture
def typed(sft):
    """typed(shell, text, wanted) types into a shell on a terminal, until the
    screen shows what is wanted; "<text>" is the whole line."""
    screens = []

    def run(shell, text, wanted, name="sft"):
        needs(shell)
        path = sft.place / f"{name}.{shell}"
        path.write_text(script(name, shell))
        folder = os.path.dirname(SCRIPTS[name]("")[0])
        env = {**sft.env, "PATH": f"{folder}:{sft.env['PATH']}"}
        screen = Terminal(COMMANDS[shell], env, sft.place, (24, 200))
        screens.append(screen)
        # not as it is echoed
        screen.type(READY[shell].format('rea""dy> '.replace('""', "''"), path).encode())
        screen.read(PROMPT)
        screen.text = ""
        screen.type(text.encode() + (b"\x18g" if wanted[0] == "<" else b""))
        screen.read(wanted)
        stop(screen)

    def stop(screen):
        screen.process.kill()
        screen.process.wait()
        os.close(screen.screen)
        screens.remove(screen)

    yield run
    for screen in list(screens):
        stop(screen)


def test_bash_on_a_terminal(typed, filled, sft):
    sft.file("my own file", b"")
    for text, line in (
        ("sft upl\tmy\t", r"sft upload my\ own\ file "),
        ("sft rm --js\ta\\ t\t", r"sft rm --json a\ two "),
        ('sft rm "a t\t', 'sft rm "a two" '),
        ("sft rm c:\t", "sft rm c:1 "),
        ("sft status --file=a\\ o\t", r"sft status --file=a\ one "),
        ("sft ls --sort=si\t", "sft ls --sort=size "),
    ):
        typed("bash", text, f"<{line}>")


def test_zsh_on_a_terminal(typed, filled, sft):
    sft.file("my own file", b"")
    for text, line in (
        ("sft upl\tmy\t", r"sft upload my\ own\ file "),
        ("sft key re\t", "sft key revoke "),
        ("sft -v --timeout 3 key --js\tre\t", "sft -v --timeout 3 key --json revoke "),
        ("sft rm --js\ta\\ t\t", r"sft rm --json a\ two "),
        ("sft rm c:\t", "sft rm c:1 "),
        ("sft ls --so\tsi\t", "sft ls --sort=size "),
        ("sft up\t--enc\t", "sft upload --encrypt "),
        ("sft priority a\\ t\t", r"sft priority a\ two "),
    ):
        typed("zsh", text, f"<{line}>")
    typed("zsh", "sft ls --\t\t", "so many at most (all)")
    typed("zsh", "sft \t\t", "send files to the server")
    for text, line in (
        ("sftd --dur\tre\t", "sftd --durability=relaxed "),
        ("sftd rot\t", "sftd rotate-key "),
        ("sftd verify --rep\t", "sftd verify --repair-records "),
    ):
        typed("zsh", text, f"<{line}>", "sftd")
    sft.env["SFT_SERVER"] = "http://127.0.0.1:1"
    there = f"sft --server {filled.url} rm "
    typed("zsh", there + "a\\ t\t", f"<{there}a\\ two >")


def test_usage(sft):
    assert sft("completion").status == 2
    result = sft("completion", "tcsh")
    assert result.status == 2
    assert "no completion for 'tcsh', but for bash, zsh and fish" in result.err
    assert '"shell": "bash"' in sft("--json", "completion", "bash").out


@pytest.mark.parametrize("name", SCRIPTS)
def test_what_is_installed(name):
    folder = os.path.join(os.path.dirname(SCRIPTS[name]("")[0]), "completions")
    if not os.path.isdir(folder):
        pytest.skip("the program stands in no build directory")
    files = {"bash": name, "zsh": f"_{name}", "fish": f"{name}.fish"}
    for shell, file in files.items():
        with open(os.path.join(folder, file)) as f:
            assert f.read() == script(name, shell)
