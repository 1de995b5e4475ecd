#!/usr/bin/env python3
"""Tests of the checks and of the test runner: each must refuse a bad example and accept a good one.

Every test writes a small repository into a scratch folder and runs the real program on it.
"""

import importlib.machinery
import importlib.util
import pathlib
import subprocess
import sys
import tempfile
import textwrap
import unittest

TOOLS = pathlib.Path(__file__).resolve().parent
ROOT = TOOLS.parent


class ToolTest(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory(prefix="maquette_tools_test_")
        self.addCleanup(scratch.cleanup)
        self.root = pathlib.Path(scratch.name)

    def write(self, path: str, text: str) -> pathlib.Path:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(textwrap.dedent(text))
        return file

    def run_tool(self, name: str, *arguments: str) -> tuple[int, str]:
        answer = subprocess.run([TOOLS / name, *arguments], capture_output=True, text=True, cwd=self.root)
        return answer.returncode, answer.stdout + answer.stderr

    def accepts(self, name: str, *arguments: str) -> str:
        code, text = self.run_tool(name, "--root", str(self.root), *arguments)
        self.assertEqual(code, 0, text)
        return text

    def refuses(self, name: str, reason: str, *arguments: str) -> str:
        code, text = self.run_tool(name, "--root", str(self.root), *arguments)
        self.assertEqual(code, 1, text)
        self.assertIn(reason, text)
        return text


class CheckIncludes(ToolTest):
    def setUp(self):
        super().setUp()
        self.write("src/base/error.h", "#include <fmt/core.h>\n#include <string>\n")
        self.write("src/base/CMakeLists.txt", "maquette_module(base LINKS fmt::fmt)\n")
        self.write("src/tensor/tensor.h", '#include "base/error.h"\n')
        self.write("src/tensor/CMakeLists.txt", "maquette_module(tensor USES base)\n")
        self.write("src/nn/CMakeLists.txt", "maquette_module(nn USES base tensor)\n")

    def test_a_clean_tree(self):
        self.accepts("check_includes")

    def test_an_arrow_that_points_up(self):
        self.write("src/base/error.cpp", '#include "tensor/tensor.h"\n')
        self.refuses("check_includes", "src/base/error.cpp:1: src/base must not include src/tensor")

    def test_a_use_that_points_up(self):
        self.write("src/base/CMakeLists.txt", "maquette_module(base USES tensor)\n")
        self.refuses("check_includes", "src/base must not use tensor")

    def test_an_include_that_cmake_does_not_name(self):
        self.write("src/tensor/CMakeLists.txt", "maquette_module(tensor)\n")
        self.refuses("check_includes", "does not name base in USES")

    def test_a_use_without_an_include(self):
        self.write("src/kernels/conv.h", "#include <span>\n")
        self.write("src/kernels/CMakeLists.txt", "maquette_module(kernels USES base tensor)\n")
        self.write("src/nn/nn.h", '#include "tensor/tensor.h"\n')
        self.write("src/nn/CMakeLists.txt", "maquette_module(nn USES base tensor kernels)\n")
        self.refuses("check_includes", "kernels stands in USES and nothing of it is included")

    def test_a_library_outside_its_owner(self):
        self.write("src/tensor/tensor.cpp", "#include <oneapi/dnnl/dnnl.hpp>\n")
        self.refuses("check_includes", "belongs to src/kernels")

    def test_each_library_has_its_owner(self):
        owners = load_tool("check_includes").OWNERS
        headers = {
            "fmt/core.h": "base",
            "nlohmann/json.hpp": "base",
            "spdlog/spdlog.h": "base",
            "openssl/evp.h": "base",
            "zlib.h": "base",
            "oneapi/dnnl/dnnl.hpp": "kernels",
            "dnnl.hpp": "kernels",
            "OpenImageIO/imageio.h": "media",
            "utf8proc.h": "text",
            "CLI/CLI.hpp": "cli",
        }
        layers = load_tool("check_includes").LAYERS
        for header, owner in headers.items():
            found = [owners[start] for start in owners if header.startswith(start)]
            self.assertEqual(set(found), {owner}, header)
        self.assertLessEqual(set(owners.values()), set(layers))

    def test_a_second_owner_of_a_library(self):
        self.write("src/base/deflate.cpp", "#include <zlib.h>\n")
        self.accepts("check_includes")
        self.write("src/media/png.cpp", "#include <zlib.h>\n")
        self.write("src/weights/zip.cpp", "#include <zlib.h>\n")
        text = self.refuses("check_includes", "src/media/png.cpp:1: <zlib.h> belongs to src/base")
        self.assertIn("src/weights/zip.cpp:1: <zlib.h> belongs to src/base", text)

    def test_a_fuzzer_may_use_a_library_that_is_known(self):
        self.write("fuzz/a_fuzzer.cpp", "#include <zlib.h>\n")
        self.accepts("check_includes")
        self.write("fuzz/a_fuzzer.cpp", "#include <bzlib.h>\n")
        self.refuses("check_includes", "has no owner folder")

    def test_a_header_of_the_system(self):
        self.write("src/base/file.cpp", "#include <sys/stat.h>\n#include <unistd.h>\n")
        self.accepts("check_includes")
        self.write("src/tensor/tensor.cpp", "#include <sys/stat.h>\n")
        self.refuses("check_includes", "<sys/stat.h> is for src/app and src/base and src/cli")

    def test_a_library_without_an_owner(self):
        self.write("src/tensor/tensor.cpp", "#include <boost/any.hpp>\n")
        self.refuses("check_includes", "has no owner folder")

    def test_gtest_outside_a_test(self):
        self.write("src/tensor/tensor_test.cpp", "#include <gtest/gtest.h>\n")
        self.accepts("check_includes")
        self.write("src/tensor/tensor.cpp", "#include <gtest/gtest.h>\n")
        self.refuses("check_includes", "belongs into *_test.cpp")

    def test_gtest_in_a_helper_of_tests(self):
        self.write("src/tensor/close_to.h", "#include <gtest/gtest.h>\n")
        self.write("src/tensor/tensor_test.cpp", '#include "tensor/close_to.h"\n')
        self.accepts("check_includes")
        self.write("src/tensor/tensor.cpp", '#include "tensor/close_to.h"\n')
        self.refuses("check_includes", "belongs into *_test.cpp")

    def test_a_header_that_is_not_there(self):
        self.write("src/tensor/tensor.cpp", '#include "base/eror.h"\n')
        self.refuses("check_includes", "there is no src/base/eror.h")

    def test_a_relative_path(self):
        self.write("src/tensor/tensor.cpp", '#include "../base/error.h"\n')
        self.refuses("check_includes", "by their path from src/")

    def test_a_folder_outside_the_layers(self):
        self.write("src/stuff/a.h", "#include <string>\n")
        self.refuses("check_includes", "src/stuff: not in LAYERS")


class CheckSizes(ToolTest):
    def test_a_short_file(self):
        self.write("src/a.cpp", "int a;\n" * 400)
        self.assertEqual(self.accepts("check_sizes"), "")

    def test_a_file_on_its_way(self):
        self.write("src/a.cpp", "int a;\n" * 601)
        self.assertIn("warning: src/a.cpp: 601 lines", self.accepts("check_sizes"))

    def test_a_file_too_long(self):
        self.write("src/a.cpp", "int a;\n" * 1001)
        self.refuses("check_sizes", "src/a.cpp: 1001 lines")

    def test_a_script_too_long(self):
        self.write("tools/run", "#!/bin/sh\n" + "true\n" * 1001)
        self.refuses("check_sizes", "tools/run: 1002 lines")

    def test_a_long_function(self):
        body = "  call({1, 2});\n" * 70
        self.write("src/a.cpp", "namespace a {\nint small() { return 1; }\nint A::big(int x) const {\n" + body + "}\n}\n")
        text = self.accepts("check_sizes")
        self.assertIn("warning: src/a.cpp:3: A::big has 72 lines", text)
        self.assertNotIn("small", text)

    def test_a_long_table_is_no_function(self):
        rows = '  {"name", f(1)},\n' * 70
        self.write("src/a.cpp", "const Row kRows[] = {\n" + rows + "};\nstruct S {\n" + "  int a;\n" * 70 + "};\n")
        self.assertEqual(self.accepts("check_sizes"), "")

    def test_braces_in_strings_and_comments(self):
        body = '  call("}", \'{\');  // }\n' * 70
        self.write("src/a.cpp", "void big() {\n" + body + "}\n")
        self.assertIn("big has 72 lines", self.accepts("check_sizes"))

    def test_a_long_python_function(self):
        self.write("tools/a.py", "def big():\n" + "    pass\n" * 70)
        self.assertIn("tools/a.py:1: big has 71 lines", self.accepts("check_sizes"))


class CheckDocsPaths(ToolTest):
    def setUp(self):
        super().setUp()
        self.write("src/base/error.h", "// See docs/guide.md.\n")
        self.write("docs/guide.md", "Read `src/base/error.h`, `src/base/`, `src/*/error.h` and [this](../README.md#top).\n")
        self.write("README.md", "```\ntools/run --now build/release/x docs/guide.md:3\n```\n`fuzz/corpus/<name>/`\n")
        self.write("tools/run", "")

    def test_a_true_document(self):
        self.accepts("check_docs_paths")

    def test_a_path_that_is_not_there(self):
        self.write("docs/more.md", "one\n`src/base/eror.h`\n")
        self.refuses("check_docs_paths", "docs/more.md:2: there is no src/base/eror.h")

    def test_a_command_in_a_block_that_is_not_there(self):
        self.write("docs/more.md", "```\nscripts/go --fast\n```\n")
        self.refuses("check_docs_paths", "docs/more.md:2: there is no scripts/go")

    def test_a_pattern_without_a_file(self):
        self.write("docs/more.md", "`src/*/none.h`\n")
        self.refuses("check_docs_paths", "there is no src/*/none.h")

    def test_a_link_that_leads_nowhere(self):
        self.write("docs/more.md", "[a](guides.md) [b](https://example.org/x)\n")
        self.refuses("check_docs_paths", "the link to guides.md leads nowhere")

    def test_a_comment_that_names_a_lost_document(self):
        self.write("src/base/a.cpp", "// See docs/lost.md\n")
        self.refuses("check_docs_paths", "src/base/a.cpp:1: there is no docs/lost.md")


class CheckDocsCommands(ToolTest):
    def setUp(self):
        super().setUp()
        help_text = "Usage: maquette paint [OPTIONS]\n  --out TEXT"
        program = self.write("bin/maquette", f"#!/bin/sh\n[ \"$2\" = --help ] && echo '{help_text}'\necho \"$@\" >> log\n")
        program.chmod(0o755)

    def document(self, *blocks: str) -> None:
        self.write("docs/guide.md", "\n".join(f"```{block}\n```" for block in blocks))

    def arguments(self) -> list[str]:
        return ["--program-folder", "bin", "docs/guide.md"]

    def test_commands_that_work(self):
        self.document("sh\nmaquette paint --out a.png", "sh\ngrep paint log")
        self.accepts("check_docs_commands", *self.arguments())

    def test_a_command_that_fails(self):
        self.document("sh\nmaquette paint --out a.png\nfalse")
        self.refuses("check_docs_commands", "docs/guide.md:2: exit code 1", *self.arguments())

    def test_an_option_that_is_not_there(self):
        self.document("sh own-models\nmaquette paint --ot a.png")
        self.refuses("check_docs_commands", "maquette paint has no option --ot", *self.arguments())

    def test_a_command_that_is_not_there(self):
        self.document("sh own-models\nmaquette draw a.png")
        self.refuses("check_docs_commands", "there is no command maquette draw", *self.arguments())

    def test_blocks_that_are_not_run(self):
        self.document("sh setup\nfalse", "text\nfalse")
        self.accepts("check_docs_commands", *self.arguments())


class CheckFormat(ToolTest):
    def setUp(self):
        super().setUp()
        self.write(".clang-format", "BasedOnStyle: Google\nColumnLimit: 110\n")
        self.write("src/good.cpp", "int f() { return 1; }\n")

    def test_a_formatted_file(self):
        self.accepts("check_format")

    def test_a_file_that_is_not_formatted(self):
        bad = self.write("src/bad.cpp", "int f( ) {return 1;}\n")
        self.refuses("check_format", "src/bad.cpp: not formatted at line 1")
        self.accepts("check_format", "--fix")
        self.assertEqual(bad.read_text(), "int f() { return 1; }\n")


class CliTest(ToolTest):
    """The scripts run in the real repository's folder; they call nothing but the shell."""

    def runs(self, script: str, *arguments: str) -> tuple[int, str]:
        path = self.write("a.test", script)
        return self.run_tool("cli_test", str(path), *arguments)

    def passes(self, script: str) -> None:
        code, text = self.runs(script)
        self.assertEqual(code, 0, text)
        self.assertTrue(text.endswith("1 passed, 0 failed\n"), text)

    def fails(self, script: str, reason: str, *arguments: str) -> str:
        code, text = self.runs(script, *arguments)
        self.assertEqual(code, 1, text)
        self.assertTrue(text.endswith("0 passed, 1 failed\n"), text)
        self.assertIn(reason, text)
        return text

    def test_the_expected_output(self):
        self.passes("""\
            # name: words
            setup echo red > {tmp}/colour
            run cat {tmp}/colour \\
                && echo "in {tmp}/x"
            ----
            red
            in {tmp}/x

            run true
            ----

            fails 3 echo out; echo wrong >&2; exit 3
            ----
            out
            wrong
            """)

    def test_another_output(self):
        text = self.fails("# name: a\nrun printf 'one\\nthree\\n'\n----\none\ntwo\n", "- two")
        self.assertIn("+ three", text)
        self.assertIn("a.test:2: run", text)

    def test_more_or_less_output(self):
        self.fails("# name: a\nrun printf 'one\\ntwo\\n'\n----\none\n", "+ two")
        self.fails("# name: a\nrun true\n----\none\n", "- one")
        self.fails("# name: a\nrun echo one\n----\n\n", "+ one")

    def test_patterns(self):
        self.passes("# name: a\nrun seq 1 9\n----\n1\n...\n~ [45]\n...\n9\n...\n")
        self.fails("# name: a\nrun seq 1 9\n----\n...\n~ [ab]\n...\n", "- ~ [ab]")
        self.fails("# name: a\nrun echo 12\n----\n~ \\d\n", "+ 12")

    def test_exit_codes(self):
        self.fails("# name: a\nrun exit 4\n", "exit code 4, expected 0")
        self.fails("# name: a\nfails 4 exit 5\n", "exit code 5, expected 4")
        self.fails("# name: a\nfails 1 true\n", "exit code 0, expected 1")
        self.fails("# name: a\nsetup false\nrun true\n", "setup false")
        self.fails("# name: a\nrun false | true\n", "exit code 1, expected 0")

    def test_a_command_that_does_not_end(self):
        self.fails("# name: a\n# timeout: 0.3\nrun sleep 30\n", "not done after 0.3 s")

    def test_scripts_that_are_wrong(self):
        self.fails("run true\n", "# name:")
        self.fails("# name: a\nsetup true\n", "could never fail")
        self.fails("# name: a\nruns true\n", "line 2: expected")
        self.fails("# name: a\nfails 0 true\n", "use run")
        self.fails("# name: a\nsetup true\n----\nx\n", "no expected output")
        self.fails("# name: a\nrun true\n----\n~ [\n", "~ [")

    def test_the_program_folder_comes_first(self):
        program = self.write("bin/maquette", "#!/bin/sh\necho mine\n")
        program.chmod(0o755)
        code, text = self.runs("# name: a\nrun maquette\n----\nmine\n", "--program-folder", str(self.root / "bin"))
        self.assertEqual(code, 0, text)

    def test_one_bad_script_among_good_ones(self):
        self.write("b.test", "# name: b\nrun true\n")
        self.write("c.test", "# name: c\nrun false\n")
        code, text = self.run_tool("cli_test", "-j", "3", str(self.root))
        self.assertEqual(code, 1)
        self.assertTrue(text.endswith("1 passed, 1 failed\n"), text)


def load_tool(name: str):
    """The tool as a module, for tests of its functions."""
    loader = importlib.machinery.SourceFileLoader(name, str(TOOLS / name))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(name, loader))
    sys.modules[name] = module  # dataclasses look their module up
    loader.exec_module(module)
    return module


class RunTests(unittest.TestCase):
    """How the output of a suite becomes a number of tests: nothing that went wrong may be counted as nothing."""

    def setUp(self):
        self.tool = load_tool("run_tests")

    def counts(self, read: str, code: int, text: str) -> tuple[int, int]:
        result = getattr(self.tool, read)(code, text)
        return result.passed, result.failed

    def test_ctest(self):
        good = "test 1\n1: [==========] 5 tests from 2 test suites ran. (1 ms total)\n1: [  PASSED  ] 5 tests.\n"
        bad = (
            "test 2\n2: [==========] 3 tests from 1 test suite ran. (1 ms total)\n2: [  PASSED  ] 2 tests.\n"
            "2: [  FAILED  ] 1 test, listed below:\n"
        )
        crashed = "test 3\n3: [==========] Running 9 tests from 1 test suite.\n"
        self.assertEqual(self.counts("ctest_summary", 0, good), (5, 0))
        self.assertEqual(self.counts("ctest_summary", 8, good + bad), (7, 1))
        self.assertEqual(self.counts("ctest_summary", 8, good + crashed), (5, 1))
        self.assertEqual(self.counts("ctest_summary", 8, good), (5, 1))
        self.assertEqual(self.counts("ctest_summary", 0, "No tests were found!!!\n"), (0, 1))

    def test_closing_line(self):
        self.assertEqual(self.counts("closing_line", 0, "ok\n3 passed, 0 failed\n"), (3, 0))
        self.assertEqual(self.counts("closing_line", 1, "3 passed, 2 failed\n"), (3, 2))
        self.assertEqual(self.counts("closing_line", 1, "Traceback\n"), (0, 1))

    def test_one_program(self):
        good = "[==========] 4 tests from 1 test suite ran. (3 ms total)\n[  PASSED  ] 4 tests.\n"
        bad = "[  PASSED  ] 3 tests.\n[  FAILED  ] 1 test, listed below:\n[  FAILED  ] Jobs.shared\n"
        self.assertEqual(self.counts("gtest_summary", 0, good), (4, 0))
        self.assertEqual(self.counts("gtest_summary", 1, bad), (3, 1))
        self.assertEqual(self.counts("gtest_summary", 66, good), (4, 1))  # a sanitizer found something
        self.assertEqual(self.counts("gtest_summary", -11, "[ RUN      ] Jobs.shared\n"), (0, 1))

    def test_what_is_run(self):
        def names(*flags: str) -> list[str]:
            options = self.tool.parse(list(flags))
            return [suite.name for suite in self.tool.suites_for(options)]

        self.assertNotIn("cli", names("--quick"))
        judges = ["delivery", "watermark", "api", "exports", "log", "marks"]
        self.assertEqual(names()[-12:], ["cli", "kills", "browser", *judges, "sanitize-build", "sanitize", "fuzz"])
        self.assertIn("threads-diffusion", names("--all"))
        fuzz = self.tool.suites_for(self.tool.parse(["--fuzz", "45"]))[-1]
        self.assertEqual(fuzz.command_line(), "scripts/fuzz all 45")

    def test_unittest(self):
        self.assertEqual(self.counts("unittest_summary", 0, "Ran 36 tests in 3.0s\n\nOK\n"), (36, 0))
        text = "Ran 36 tests in 3.0s\n\nFAILED (failures=1, errors=2)\n"
        self.assertEqual(self.counts("unittest_summary", 1, text), (33, 3))


if __name__ == "__main__":
    unittest.main()
