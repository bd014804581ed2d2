"""Finds dead links in the repository.

In Markdown files, it checks the target and the anchor of each relative link and image, and
each path in backticks that starts with a folder of the repository. In all other text
files, it checks such paths in comments.
"""

import glob
import os
import re
import subprocess
import sys
import unicodedata

INLINE_LINK = re.compile(r"!?\[(?:[^\]\\]|\\.|\[[^\]]*\])*\]\(\s*<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\s*\)")
REFERENCE = re.compile(r"^ {0,3}\[[^\]]+\]:\s+<?([^\s>]+)>?", re.MULTILINE)
HTML_LINK = re.compile(r"<(?:a|img)\b[^>]*\b(?:href|src)=\"([^\"]+)\"")
HTML_ANCHOR = re.compile(r"<[a-z]+\b[^>]*\b(?:id|name)=\"([^\"]+)\"")
HEADING = re.compile(r"^ {0,3}#{1,6}\s+(.*?)\s*#*\s*$", re.MULTILINE)
FENCE = re.compile(r"^( {0,3}|.*?[-*\d.] +)(`{3,}|~{3,}).*?^\s*\2`*~*\s*$", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`([^`\n]+)`")
COMMENT = re.compile(r"(?:^|\s)(?://[/!]?|#|;|--)\s(.*)", re.MULTILINE)
PATH = re.compile(r"(?<![\w./@:<{-])[\w.-]+/[\w.*/-]*\w(?:#[\w-]+)?")

# Placeholders, which stand for any name.
PLACEHOLDER = re.compile(r"\b(?:NAME|VERSION)\b")


def tracked_files():
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, check=True, capture_output=True).stdout.decode()
    return sorted({name for name in names.split("\0") if os.path.isfile(name)})


def read(path):
    """Returns a file's text, or None if the file is not UTF-8 text."""
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except UnicodeDecodeError:
        return None


def blank(match):
    """Replaces a match with spaces, which preserves offsets and line numbers."""
    return re.sub(r"[^\n]", " ", match.group())


def slug(heading):
    """Returns the anchor that GitHub generates for a heading."""
    text = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", heading)
    text = re.sub(r"[`*]", "", text).lower()
    allowed = (c for c in text if c in " -_" or unicodedata.category(c)[0] in "LMN")
    return "".join(allowed).replace(" ", "-")


def anchors(path):
    text = FENCE.sub(blank, read(path))
    found, seen = set(HTML_ANCHOR.findall(text)), {}
    for heading in HEADING.findall(text):
        name = slug(heading)
        count = seen[name] = seen.get(name, -1) + 1
        found.add(f"{name}-{count}" if count else name)
    return found


def link_problem(source, target):
    """Returns an error message if a link in a document is dead, or None."""
    if re.match(r"[a-z][a-z0-9+.-]*:", target):
        return None
    path, _, anchor = target.partition("#")
    path = os.path.normpath(os.path.join(os.path.dirname(source), path)) if path else source
    if not os.path.exists(path):
        return f"{path} does not exist"
    if anchor and path.endswith(".md") and anchor not in anchors(path):
        return f"{path} has no heading #{anchor}"
    return None


def path_problem(path, folders):
    """Returns an error message if a path from the top of the repository is dead, or None."""
    path, _, anchor = path.partition("#")
    if path.split("/")[0] not in folders:
        return None
    if not glob.glob(PLACEHOLDER.sub("*", path)):
        return f"{path} does not exist"
    return link_problem("", f"{path}#{anchor}") if anchor else None


def markdown_problems(source, text, folders):
    text = FENCE.sub(blank, text)
    prose = CODE.sub(blank, text)
    for pattern in (INLINE_LINK, REFERENCE, HTML_LINK):
        for match in pattern.finditer(prose):
            yield match.start(), link_problem(source, match.group(1))
    for code in CODE.finditer(text):
        for path in PATH.finditer(code.group(1)):
            yield code.start(), path_problem(path.group(), folders)


def comment_problems(text, folders):
    for comment in COMMENT.finditer(text):
        for path in PATH.finditer(comment.group(1)):
            yield comment.start(1), path_problem(path.group(), folders)


def main():
    files = tracked_files()
    folders = {name.split("/")[0] for name in files if "/" in name}
    dead = documents = 0
    for source in files:
        text = read(source)
        if text is None:
            continue
        if source.endswith(".md"):
            documents += 1
            problems = markdown_problems(source, text, folders)
        else:
            problems = comment_problems(text, folders)
        for offset, problem in problems:
            if problem:
                dead += 1
                line = text.count("\n", 0, offset) + 1
                print(f"{source}:{line}: {problem}")
    print(f"links: {documents} documents, {dead} dead links")
    return 1 if dead else 0


sys.exit(main())
