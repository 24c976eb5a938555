"""What the agents of the machine do: shell commands, in the worktree or in a repository inside it.

`{branch}`, `{revision}`, `{name}`, `{other}` and `{place}` are filled in, quoted. Every command may fail.
"""

from __future__ import annotations

NAMES = ("a.txt", "b.txt", "src/a.py", "d", "d/x", "-n", "new\nline", "odd\udcff", "x.rc", "x.log", "build/y", "sp ace")
"""Names of files: some are ignored (`*.log`, `build/`), some are awkward, one is a file here and a folder there."""

BRANCHES = ("x", "y", "main")
REVISIONS = ("HEAD", "HEAD~1", "HEAD@{1}", "x", "y", "main", "ORIG_HEAD", "stash")
PLACES = ("fe", "build/fe", "src/lib")
"""Where repositories and worktrees are made inside the worktree."""

STAGING = (
    "git add -A",
    "git add -u",
    "git add -f -- {name}",
    "git add -N -- {name}",
    "git commit -qm m",
    "git add -A; git commit -qm m",
    "git commit -qam m",
    "git commit -q --amend -m m",
    "git commit -qa --amend --no-edit",
    "git commit -qm p -- {name}",
    "git commit -q --allow-empty -m e",
    "git rm -q --cached -r -- {name}",
    "git rm -qrf -- {name}",
    "git mv -f -- {name} {other}",
    "git reset -q",
    "git restore -q --staged .",
    "git restore -q .",
    "git checkout -q {revision} -- .",
    "git read-tree {revision}",
    "git read-tree --empty",
    "git update-index --force-remove -- {name}",
    "git hash-object -w -- {name}",
    "rm -f $(git rev-parse --git-path index)",
)

MOVING = (
    "git checkout -qB {branch}",
    "git checkout -q {branch}",
    "git checkout -qf {branch}",
    "git checkout -q -m {branch}",
    "git checkout -q --detach {revision}",
    "git checkout -q --orphan o; git checkout -q --orphan o2",
    "git reset -q --hard {revision}",
    "git reset -q --soft {revision}",
    "git reset -q --mixed {revision}",
    "git reset -q --merge {revision}",
    "git branch -qD {branch}",
    "git branch -qf {branch} {revision}",
    "git symbolic-ref HEAD refs/heads/nowhere",
    "git update-ref -d HEAD",
    "git update-ref refs/odd/{branch} {revision}",
    "git tag -f {branch}-tag {revision}",
    "git tag -f -a -m a {branch}-annotated {revision}",
    "git tag -f -a -m a blob $(git hash-object -w -- {name})",
    "git tag -d {branch}-tag {branch}-annotated",
    "git notes add -f -m $(date +%N) {revision}",
    "git replace -f HEAD {revision}",
)

STASHING = (
    "git stash -q",
    "git stash -qu",
    "git stash -qa",
    "git stash -qk",
    "git stash -q --staged",
    "git stash pop -q",
    "git stash pop -q --index",
    "git stash apply -q",
    "git stash drop -q",
    "git stash clear",
    "git stash branch {branch}",
)

JOINING = (
    "git merge -q {revision}",
    "git merge -q --autostash {revision}",
    "git merge -q --squash {revision}",
    "git merge -q --no-ff --no-commit {revision}",
    "git merge -q -X theirs --allow-unrelated-histories {revision}",
    "git rebase -q {revision}",
    "git rebase -q --autostash {revision}",
    "git rebase -q --autostash --onto {revision} HEAD~1",
    "git pull -q --rebase --autostash . {branch}",
    "git cherry-pick {revision}",
    "git cherry-pick -n {revision}",
    "git revert --no-edit {revision}",
    "git format-patch -q -1 --stdout {revision} | git am -q -3",
    "git diff --binary {revision} | git apply --cached",
    "git bisect start HEAD {revision}",
    "git bisect reset",
    *(f"git {what} --{how}" for what in ("merge", "rebase", "cherry-pick") for how in ("abort", "continue", "quit")),
    "git rebase --skip",
    "git am --abort",
)

HIDING = (
    "git sparse-checkout set src",
    "git sparse-checkout set --no-cone '/*' '!/d'",
    "git sparse-checkout disable",
    "git update-index --assume-unchanged -- {name}",
    "git update-index --skip-worktree -- {name}",
    "git update-index --no-skip-worktree -- {name}",
    "git update-index --split-index",
    "git update-index --index-version 4",
    "git update-index --untracked-cache",
    "echo '*.txt' >>.gitignore",
    "echo 'd' >>src/.gitignore",
    "rm -f .gitignore",
    "git rev-parse --git-path info/exclude | xargs sh -c 'mkdir -p $(dirname $0); echo \"*.txt\" >>$0'",
    "echo '* text=auto eol=crlf' >.gitattributes",
    "echo '*.txt text eol=lf' >.gitattributes",
    "echo '*.rc working-tree-encoding=UTF-16' >.gitattributes",
    "echo '*.txt filter=odd' >.gitattributes; git config filter.odd.clean 'tr a-z A-Z'",
    "echo '*.txt filter=no' >.gitattributes; git config filter.no.clean false; git config filter.no.required true",
    "echo '*.txt ident' >.gitattributes; echo '$Id$' >a.txt",
    "rm -f .gitattributes",
)

NESTING = (
    "git init -q {place}",
    "git init -q --bare {place}",
    "git init -q --separate-git-dir=build/sep {place}",
    "git clone -q . {place}",
    "git clone -q --bare . {place}",
    "git clone -q --shared . {place}",
    "git clone -q --depth 1 file://$PWD {place}",
    "git worktree add -qf --detach {place}",
    "git worktree add -qf -B {branch} {place}",
    "cp -rT {place} build/copy",
    "mkdir -p build/copy; cp -r .git *.txt build/copy",
    "git worktree lock {place}",
    "git -C {place} push -qf .. HEAD:refs/heads/{branch}",
    "git push -qf {place} HEAD:refs/heads/{branch}",
    "git fetch -q {place} HEAD",
    "git pull -q --no-rebase --allow-unrelated-histories {place}",
    "git add -f {place}",
    "git submodule --quiet add -f $PWD {place}",
    "git submodule --quiet absorbgitdirs",
    "git submodule --quiet update --init",
    "git worktree lock .",
    "git worktree prune",
)

CONFIGURING = (
    "git config core.bare true",
    "git config core.worktree /nowhere",
    "git config core.hooksPath /nowhere",
    "git config core.autocrlf true",
    "git config core.fileMode false",
    "git config core.excludesFile /dev/stdin",
    "git config core.sparseCheckout true",
    "git config extensions.worktreeConfig true",
    "git config gc.auto 1",
    "git config core.ignoreCase true",
    "git config core.logAllRefUpdates false",
    "git config core.quotePath false",
    "git config index.version 4",
    "git config feature.manyFiles true",
    "git config core.compression 0",
    "git pack-refs --all --prune",
)

DESTROYING = (
    "git prune --expire=now",
    "git gc -q --prune=now",
    "git reflog expire --expire=now --all",
    "git reflog expire --expire=now --all; git gc -q --prune=now",
    "git reflog expire --expire=now --all; git repack -qad; git prune-packed",
    "git repack -qadk",
    "git worktree remove -f -f {place}",
    "rm -rf {place}",
    "rm -rf .git/modules",
    "rm -rf .git; git init -q",
)
"""What may take objects out of a store, or files away, on purpose."""

FILES = (
    "rm -rf -- {name}",
    "mv -f -- {name} {other}",
    "cp -r -- {name} {other}",
    "chmod +x -- {name}",
    "chmod 000 -- {name}",
    "chmod 555 d src",
    "touch -- {name}",
    "rm -rf -- {name}; ln -s {other} ./{name}",
    "rm -rf -- {name}; mkdir ./{name}; date +%N >./{name}/inner",
    "mkfifo ./pipe",
    "mv {place} moved; mv moved {place}",
    "mkdir -p build; mv {place} build/moved",
)
"""What is done to files; a repository that is moved or removed takes its objects along."""
