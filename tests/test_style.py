# Copyright 2026 The apprentice authors.
# SPDX-License-Identifier: Apache-2.0
"""Hold every file to the rules of the house that a machine can check."""
from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
import re
from xml.etree import ElementTree

import pytest
from repository import files
from repository import imports
from repository import Package
from repository import packages
from repository import python_files
from repository import relative
from repository import syntax

LICENCE = ('# Copyright 2026 The apprentice authors.\n'
           '# SPDX-License-Identifier: Apache-2.0\n')
# Folders that exist on one machine only. Put together, so that this file passes its own test.
MACHINE = re.compile('/' + r'(?:work/(?:main|shared)|root|home/\w+|Users/\w+)\b')
TEXT = ('*.py', '*.md', '*.yaml', '*.yml', '*.xml', '*.json', '*.txt', '*.toml', '*.cfg', '*.in',
        '*.msg', '*.srv', '*.action', '*.urdf', '*.sh', '*.meta', 'ws', '.ci/*', 'docker/*')
UNFINISHED = re.compile(r'\b(?:TO' + r'DO|FIX' + r'ME|X' + r'XX|HA' + r'CK)\b')
# Each of these runs what a file says.
UNSAFE_MODULES = {'pickle', 'cPickle', 'dill', 'cloudpickle', 'joblib', 'shelve', 'marshal'}
UNSAFE_CALLS = {'eval', 'exec'}
UNSAFE_LOADERS = {None, 'Loader', 'FullLoader', 'UnsafeLoader'}
# A list of cases may be longer than code that thinks.
LONGEST, LONGEST_TEST = 400, 650


def test_every_file_of_code_names_its_licence() -> None:
    """Two licence lines stand on top, after a shebang where there is one."""
    sources = [*python_files(), *files('*CMakeLists.txt', '*.cmake', '*.sh')]
    wrong = [relative(path) for path in sources
             if path.stat().st_size and not _has_licence(path.read_text())]
    assert not wrong, f'expected the two licence lines: {wrong}'


def _has_licence(text: str) -> bool:
    return re.sub(r'\A#!.*\n', '', text).startswith(LICENCE)


def test_no_path_of_one_machine() -> None:
    """No file knows where somebody keeps his checkout."""
    wrong = [f'{relative(path)}:{number}: {line.strip()[:80]}'
             for path in files(*TEXT) if path.suffix != '.lock'
             for number, line in enumerate(path.read_text().splitlines(), 1)
             if MACHINE.search(line)]
    assert not wrong, '\n'.join(wrong)


def test_nothing_is_left_unfinished() -> None:
    """No mark of work to be done later is left."""
    wrong = [f'{relative(path)}:{number}: {line.strip()[:80]}' for path in files(*TEXT)
             for number, line in enumerate(path.read_text().splitlines(), 1)
             if UNFINISHED.search(line)]
    assert not wrong, '\n'.join(wrong)


def _calls(path: Path, names: set[str]) -> Iterator[tuple[int, ast.Call]]:
    for node in ast.walk(syntax(path)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) \
                and node.func.id in names:
            yield node.lineno, node


def test_libraries_do_not_print() -> None:
    """Packages log; `print` is left to errors on stderr before there is a logger."""
    wrong = [f'{relative(path)}:{line}' for package in packages().values()
             for path in package.code() for line, call in _calls(path, {'print'})
             if 'file' not in {keyword.arg for keyword in call.keywords}]
    assert not wrong, f'print() in library code: {wrong}'


def test_nothing_runs_what_a_file_says() -> None:
    """No eval, no exec, no pickle and no YAML loader but the safe one."""
    wrong = [f'{found.place}: {found.module}' for path in python_files()
             for found in imports(path) if found.top in UNSAFE_MODULES]
    wrong += [f'{relative(path)}:{line}: {call.func.id}' for path in python_files()
              for line, call in _calls(path, UNSAFE_CALLS)]
    wrong += [f'{relative(path)}:{node.lineno}: yaml' for path in python_files()
              for node in ast.walk(syntax(path)) if isinstance(node, ast.Call)
              and _loads_unsafely(node)]
    assert not wrong, wrong


def _loads_unsafely(call: ast.Call) -> bool:
    function = ast.unparse(call.func)
    given = [*call.args[1:], *(keyword.value for keyword in call.keywords)]
    loader = ast.unparse(given[0]).rpartition('.')[2] if given else None
    return (function in ('yaml.full_load', 'yaml.unsafe_load')
            or function in ('yaml.load', 'yaml.load_all') and loader in UNSAFE_LOADERS)


def test_no_error_is_swallowed() -> None:
    """Nobody catches every exception to do nothing."""
    wrong = [f'{relative(path)}:{node.lineno}' for path in python_files()
             for node in ast.walk(syntax(path)) if isinstance(node, ast.ExceptHandler)
             and (node.type is None or getattr(node.type, 'id', '') in (
                 'Exception', 'BaseException'))
             and all(isinstance(line, ast.Pass) for line in node.body)]
    assert not wrong, wrong


def test_files_stay_short() -> None:
    """A file has one subject; a longer one has two."""
    wrong = {relative(path): count for path in python_files()
             if (count := len(path.read_text().splitlines())) > (
                 LONGEST_TEST if path.name.startswith('test_') else LONGEST)}
    assert not wrong, wrong


def _public(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef]:
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    for node in syntax(path).body:
        if isinstance(node, kinds) and not node.name.startswith('_'):
            yield node
            if isinstance(node, ast.ClassDef):
                yield from (child for child in node.body if isinstance(child, kinds)
                            and not child.name.startswith('_'))


def test_public_code_says_what_it_does() -> None:
    """Every module and test, every public class, function and method has a docstring."""
    wrong = [f'{relative(path)}' for path in python_files()
             if path.stat().st_size and not ast.get_docstring(syntax(path))
             and path.name not in ('setup.py', '__init__.py')]
    wrong += [f'{relative(path)}:{node.lineno}: {node.name}' for path in python_files()
              for node in _public(path) if not ast.get_docstring(node)
              and not _is_overload(node) and not _is_helper(path, node)]
    assert not wrong, '\n'.join(wrong)


def _is_helper(path: Path, node: ast.AST) -> bool:
    return 'test' in path.parts and not node.name.startswith('test_')


def _is_overload(node: ast.AST) -> bool:
    return any(getattr(mark, 'attr', getattr(mark, 'id', '')) in ('setter', 'overload')
               for mark in getattr(node, 'decorator_list', []))


def test_signatures_have_types() -> None:
    """Every argument and every result of a function is annotated."""
    wrong = [f'{relative(path)}:{node.lineno}: {node.name}({", ".join(missing)})'
             for path in python_files() for node in ast.walk(syntax(path))
             if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
             and (missing := _unannotated(node))]
    assert not wrong, '\n'.join(wrong)


def _unannotated(node: ast.FunctionDef | ast.AsyncFunctionDef) -> list[str]:
    arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs,
                 *filter(None, (node.args.vararg, node.args.kwarg))]
    missing = [argument.arg for argument in arguments
               if argument.annotation is None and argument.arg not in ('self', 'cls')]
    return missing + (['->'] if node.returns is None else [])


@pytest.mark.parametrize('name', sorted(packages()))
def test_manifests_are_whole(name: str) -> None:
    """A manifest names version, maintainer, licence and, with tests, pytest."""
    package = packages()[name]
    manifest = package.manifest
    assert manifest.tag == 'package' and manifest.get('format') == '3'
    assert package.folder.name == name
    assert manifest.findtext('version') == _version()
    assert len(manifest.findtext('description', '').strip()) > 20
    assert manifest.findtext('license') == 'Apache-2.0'
    assert manifest.find('maintainer').get('email')
    if package.tests():
        assert 'python3-pytest' in package.depends('test_depend'), 'test_depend python3-pytest'


def _version() -> str:
    versions = {package.manifest.findtext('version') for package in packages().values()}
    assert len(versions) == 1, f'packages differ in version: {versions}'
    return versions.pop()


def _python_packages() -> list[str]:
    return sorted(name for name, package in packages().items()
                  if (package.folder / 'setup.py').exists())


@pytest.mark.parametrize('name', _python_packages())
def test_python_packages_are_laid_out_alike(name: str) -> None:
    """A Python package has its marker, its script folders, a README and tests."""
    package: Package = packages()[name]
    assert (package.folder / 'resource' / name).is_file()
    assert (package.folder / 'README.md').read_text().startswith(f'# {name}\n')
    assert package.manifest.findtext('export/build_type') == 'ament_python'
    setup = (package.folder / 'setup.cfg').read_text()
    assert f'script_dir=$base/lib/{name}' in setup
    assert f'install_scripts=$base/lib/{name}' in setup
    has_code = any(path.parts[-2] == name for path in package.code())
    assert not has_code or package.tests(), 'a package with code has tests'


def test_every_manifest_is_well_formed() -> None:
    """Every XML file in the repository can be parsed."""
    for path in files('*.xml', '*.urdf'):
        ElementTree.parse(path)


def test_the_rules_can_fail() -> None:
    """The patterns find what they are for."""
    assert MACHINE.search('see ' + '/home/' + 'somebody/ws') and not MACHINE.search('$HOME/ws')
    assert UNFINISHED.search('# TO' + 'DO: later') and not UNFINISHED.search('method')
    assert not _has_licence('"""No licence."""\n') and _has_licence('#!/bin/sh\n' + LICENCE)
    tree = ast.parse('def f(a, *b: int): pass').body[0]
    assert _unannotated(tree) == ['a', '->']
