import pytest
from cluster.containerfile import context_files, default_base


def names(text: str, context) -> list[str]:
    return [str(file.relative_to(context)) for file in context_files(text, context)]


@pytest.fixture
def context(tmp_path):
    for name in (
        "app/main.py",
        "app/part/more.py",
        "requirements.txt",
        "notes.md",
        "app/__pycache__/main.pyc",
    ):
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(name)
    return tmp_path


def test_only_what_is_copied_counts(context) -> None:
    assert names("FROM x\nCOPY requirements.txt /app/\n", context) == ["requirements.txt"]


def test_a_copied_folder_counts_with_everything_below_but_python_s_leavings(context) -> None:
    assert names("FROM x\nCOPY app /app\n", context) == ["app/main.py", "app/part/more.py"]


def test_continued_lines_patterns_flags_and_lists_are_understood(context) -> None:
    text = 'FROM x\nCOPY --chown=1:1 requirements.txt \\\n  *.md /app/\nADD ["app/main.py", "/app/"]\n'
    assert names(text, context) == ["app/main.py", "notes.md", "requirements.txt"]


def test_the_whole_context_counts_when_the_whole_is_copied(context) -> None:
    assert "notes.md" in names("FROM x\nCOPY . /app\n", context)


def test_what_comes_from_another_stage_or_from_the_net_is_no_file_of_the_context(context) -> None:
    text = "FROM x\nCOPY --from=build /notes.md /\nADD https://example.org/notes.md /\n"
    assert names(text, context) == []


def test_a_bind_mount_counts_like_a_copy(context) -> None:
    text = "FROM x\nRUN --mount=type=bind,source=requirements.txt,target=/r.txt pip install -r /r.txt\n"
    assert names(text, context) == ["requirements.txt"]


def test_a_commented_instruction_counts_for_nothing(context) -> None:
    assert names("FROM x\n# COPY notes.md /\n", context) == []


@pytest.mark.parametrize(
    ("text", "base"),
    [
        ("ARG BASE=python:3.13-slim\nFROM ${BASE}\n", "python:3.13-slim"),
        ("# what it stands on\nARG VERSION=1\nARG BASE=debian:12\nFROM $BASE\n", "debian:12"),
        ("FROM scratch\nARG BASE=python:3\n", None),
        ("FROM scratch\n", None),
    ],
)
def test_the_base_can_be_chosen_where_an_argument_before_from_says_so(text, base) -> None:
    assert default_base(text) == base
