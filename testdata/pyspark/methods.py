"""Tries every public method of PySpark's SQL API against a node, by the examples in PySpark's own documentation.

    python methods.py sc://localhost:15002 [CLASS[.METHOD] …]

Each method's examples run by themselves in a directory of their own. One line a method goes to standard output:

    class <tab> method <tab> examples <tab> passed <tab> first failure

What an example prints is compared as PySpark's own tests compare it; of those that PySpark does not compare, because their
output changes from run to run, only failing counts. A method without an example has 0 of 0. Details of failures go to
standard error with -v. Nothing here knows what the node can do.
"""
import doctest
import importlib
import inspect
import io
import os
import re
import signal
import sys
import tempfile
import warnings

warnings.simplefilter("ignore")
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE | doctest.IGNORE_EXCEPTION_DETAIL

ANY_OUTPUT = doctest.register_optionflag("ANY_OUTPUT")
SECONDS = 60  # for one method


class Checker(doctest.OutputChecker):
    def check_output(self, want, got, flags):
        return bool(flags & ANY_OUTPUT) or super().check_output(want, got, flags)


def alarm(*_):
    raise TimeoutError("the example did not end in %d seconds" % SECONDS)


# What PySpark itself leaves out when it tests a Spark Connect client: needs a JVM, or is of no public use.
NOT_OVER_CONNECT = {"rdd", "toJSON", "sparkContext", "newSession"}

# class in the table, module and object that hold its documentation, the class that is offered over Spark Connect
SURFACE = [
    ("SparkSession", "pyspark.sql.session", "SparkSession", "pyspark.sql.connect.session"),
    ("SparkSession.builder", "pyspark.sql.session", "SparkSession.Builder", "pyspark.sql.connect.session"),
    ("RuntimeConfig", "pyspark.sql.conf", "RuntimeConfig", "pyspark.sql.connect.conf"),
    ("UDFRegistration", "pyspark.sql.udf", "UDFRegistration", "pyspark.sql.connect.udf"),
    ("Catalog", "pyspark.sql.catalog", "Catalog", "pyspark.sql.connect.catalog"),
    ("DataFrame", "pyspark.sql.dataframe", "DataFrame", "pyspark.sql.connect.dataframe"),
    ("DataFrameNaFunctions", "pyspark.sql.dataframe", "DataFrameNaFunctions", "pyspark.sql.connect.dataframe"),
    ("DataFrameStatFunctions", "pyspark.sql.dataframe", "DataFrameStatFunctions", "pyspark.sql.connect.dataframe"),
    ("Column", "pyspark.sql.column", "Column", "pyspark.sql.connect.column"),
    ("GroupedData", "pyspark.sql.group", "GroupedData", "pyspark.sql.connect.group"),
    ("Window", "pyspark.sql.window", "Window", "pyspark.sql.connect.window"),
    ("WindowSpec", "pyspark.sql.window", "WindowSpec", "pyspark.sql.connect.window"),
    ("DataFrameReader", "pyspark.sql.readwriter", "DataFrameReader", "pyspark.sql.connect.readwriter"),
    ("DataFrameWriter", "pyspark.sql.readwriter", "DataFrameWriter", "pyspark.sql.connect.readwriter"),
    ("DataFrameWriterV2", "pyspark.sql.readwriter", "DataFrameWriterV2", "pyspark.sql.connect.readwriter"),
    ("MergeIntoWriter", "pyspark.sql.merge", "MergeIntoWriter", "pyspark.sql.connect.merge"),
    ("TableValuedFunction", "pyspark.sql.tvf", "TableValuedFunction", "pyspark.sql.connect.tvf"),
    ("Observation", "pyspark.sql.observation", "Observation", "pyspark.sql.connect.observation"),
    ("functions", "pyspark.sql.functions", None, "pyspark.sql.connect.functions"),
]


def surface():
    """Yields (class, method, documented object, module) of every public name."""
    for name, module, path, connect in SURFACE:
        m = importlib.import_module(module)
        if path is None:
            builtin = importlib.import_module("pyspark.sql.functions.builtin")
            for f in sorted(set(m.__all__)):
                o = getattr(m, f)
                if inspect.isfunction(o):
                    yield name, f, o, builtin
            continue
        obj, offered = m, importlib.import_module(connect)
        for part in path.split("."):
            obj = getattr(obj, part)
            offered = getattr(offered, part, None)
        for f in sorted(dir(obj)):
            static = inspect.getattr_static(obj, f)
            if f.startswith("_") or inspect.isclass(static) or not (callable(getattr(obj, f)) or isinstance(static, property)):
                continue
            yield name, f, getattr(obj, f) if not isinstance(static, property) else static, m


def run(name, o, module, spark, details):
    tests = [t for t in doctest.DocTestFinder(recurse=False).find(o, name, module=False, globs={}) if t.examples]
    globs = dict(vars(module))
    globs.update(vars(importlib.import_module("pyspark.sql.types")))
    globs["spark"] = spark
    globs.pop("sc", None)
    tried = failed = 0
    out = io.StringIO()
    for t in tests:
        t.globs = dict(globs)
        for e in t.examples:
            if e.options.pop(doctest.SKIP, False):
                e.options[ANY_OUTPUT] = True
        r = doctest.DocTestRunner(Checker(), optionflags=FLAGS, verbose=False)
        signal.alarm(SECONDS)
        r.run(t, out=out.write, clear_globs=True)
        signal.alarm(0)
        tried, failed = tried + r.tries, failed + r.failures
    text = out.getvalue()
    if text and details:
        print(text, file=sys.stderr)
    return tried, failed, first_failure(text)


def first_failure(text):
    """The exception of the first failure, or that the output differs."""
    if not text:
        return ""
    head = text.split("*" * 70)[1]
    if "Exception raised" not in head:
        return "prints something else: " + one_line(head.split("Failed example:")[1].split("Expected")[0])
    lines = [l.strip() for l in head.rstrip().split("\n")]
    for l in lines:
        m = re.match(r"[\w.]+(?:Error|Exception|InvalidPlanInput|Failure)\b: ?(.*)|[\w.]+\.(?:\w*Exception): ?(.*)", l)
        if m:
            return one_line(l)
    return one_line(lines[-1])


def one_line(s):
    return re.sub(r"\s+", " ", re.sub(r" ?\(/[^)]*\)", "", s)).strip()[:200]  # no paths of this machine


def main(address, only, details):
    from pyspark.sql import SparkSession
    make = lambda: SparkSession.builder.remote(address).getOrCreate()
    spark = make()
    with tempfile.TemporaryDirectory() as d:
        os.chdir(d)
        for cls, name, o, module in surface():
            if only and cls not in only and cls + "." + name not in only:
                continue
            if name in NOT_OVER_CONNECT and cls in ("DataFrame", "SparkSession"):
                tried, failed, why = 0, 0, "not offered over Spark Connect"
            elif cls in ("SparkSession", "SparkSession.builder") and name in ("stop", "active", "getActiveSession", "create", "getOrCreate", "remote", "appName", "config", "master", "enableHiveSupport", "builder"):
                tried, failed, why = 0, 0, "the client's own"
            else:
                # A method's examples may leave tables, settings and dead sessions behind.
                if spark._client._closed if hasattr(spark, "_client") else False:
                    spark = make()
                tried, failed, why = run(cls + "." + name, o, module, spark, details)
            print(cls, name, tried, tried - failed, why, sep="\t", flush=True)


if __name__ == "__main__":
    signal.signal(signal.SIGALRM, alarm)
    args = [a for a in sys.argv[1:] if a != "-v"]
    main(args[0], set(args[1:]), "-v" in sys.argv)
