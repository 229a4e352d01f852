"""Files of numbers for `derive locate`: JSON, and npz archives written one character a byte."""

import io
import json
import zipfile

import numpy as np

from backends.golden.dumps import DumpError, _of_archive, _of_json

COMPLAINTS = DumpError
HARMLESS = ("compile",)  # NumPy reads the header of an array as a literal; none of it is run


def _archive(compression: int, **arrays: object) -> str:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        for name, value in arrays.items():
            one = io.BytesIO()
            np.lib.format.write_array(one, np.asanyarray(value), allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy"), one.getvalue())
    return file.getvalue().decode("latin-1")


SEEDS = [
    json.dumps({"f": [[[0.5, 1.0]]], "W": [[1.0]], "cell": "rnn", "dtype": "float64"}),
    json.dumps({"h": [0.5, None, 1e300, -0.0, 3], "b": 1.0}),
    json.dumps({"points": [{"point": "drawn", "given": {"x": [[1.0]]}, "values": {"h": [[[0.25]]]}, "right": {"dh": [[1.0]]}}]}),
    json.dumps({"1/f": [1.0], "2/f": [2.0], "about/dtype": "float32"}),
    '{"f": [[NaN, Infinity], [-Infinity, 1e999]]}',
    _archive(zipfile.ZIP_STORED, f=np.ones((2, 1)), h=np.float32(0.5)),
    _archive(zipfile.ZIP_STORED, f=np.arange(3.0), cell=np.array("rnn")),
    _archive(zipfile.ZIP_DEFLATED, W=np.zeros((4, 4))),
]  # fmt: skip
WORDS = (
    "NaN", "Infinity", "null", "true", "false", "[]", "{}", '""', '"f"', '"f": ', '"points": ', '"given": ', '"1/f"', "[[[", "]]]",
    "1e999", "-0", "9" * 400, "[" * 300, '"\\u0000"', '"\\ud800"', '"about/dtype": "float64"', "PK", "PK\x03\x04", "PK\x05\x06",
    "\x93NUMPY\x01\x00", "\x80\x04", "{'descr': '<f8', 'fortran_order': False, 'shape': (1,), }", "(1000000000000,)", "'|O'", "'<f8'",
    "'|S5'", "'<U9'", "'>f4'", "'<c16'", "(-1,)", "True", "\xff\xff\xff\xff", "\x00\x00\x00\x00",
)  # fmt: skip


def fuzz(text: str) -> None:
    if text.startswith("PK"):
        points, _, _ = _of_archive(text.encode("latin-1", "replace"))
    else:
        points, _, _ = _of_json(text.encode("utf-8", "replace"))
    for numbers in points.values():
        assert all(array.dtype.kind == "f" for array in numbers.arrays.values())
