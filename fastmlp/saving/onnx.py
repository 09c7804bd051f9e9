"""Export to ONNX, in float32, which every runtime computes in."""

from collections.abc import Callable
from typing import Any

import numpy as np

from fastmlp._errors import invalid
from fastmlp._extras import require
from fastmlp.activations import ACTIVATIONS
from fastmlp.losses import OUTPUT_FUNCTIONS
from fastmlp.saving.content import Content

OPSET = 17

BATCH = "batch"
"""Name of the axis along which the samples lie."""


class Graph:
    """Nodes and constants of a graph that grows.

    Parameters
    ----------
    onnx : module
    """

    def __init__(self, onnx: Any) -> None:
        self.onnx = onnx
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def add(self, operator: str, *inputs: str, name: str = "", **attributes: Any) -> str:
        """Add a node; return the name of what it puts out."""
        output = name or f"{operator}_{len(self.nodes)}"
        node = self.onnx.helper.make_node(operator, list(inputs), [output], **attributes)
        self.nodes.append(node)
        return output

    def constant(self, value: Any, dtype: Any = np.float32) -> str:
        """Add a constant; return its name."""
        name = f"constant_{len(self.constants)}"
        array = np.asarray(value, dtype)
        self.constants.append(self.onnx.numpy_helper.from_array(array, name))
        return name


def to_onnx(content: Content) -> Any:
    """Make an ONNX model.

    Parameters
    ----------
    content : Content

    Returns
    -------
    onnx.ModelProto
        Its input is "X", float32 of shape ("batch", n_features). A classifier's outputs are "label"
        and "probabilities", a regressor's is "variable". Labels have the first type of `LABELS`
        that holds them all: whole numbers and bools are int64 wherever they can be.

    Raises
    ------
    ImportError
        If onnx is not installed.
    ValueError
        If the class labels are neither whole numbers, floats nor strings.
    """
    require("to_onnx", "onnx", "onnx")
    import onnx

    graph, units = Graph(onnx), "X"
    last = len(content.coefs) - 1
    for layer, (coefs, intercepts) in enumerate(
        zip(content.coefs, content.intercepts, strict=True)
    ):
        weights = graph.constant(coefs), graph.constant(intercepts)
        units = graph.add("Gemm", units, *weights)
        if layer < last:
            units = ACTIVATIONS[content.activations[layer]].onnx(graph, units)
    finish = _classify if "classes_" in content.fitted else _predict
    outputs = finish(graph, content, units)
    model = onnx.helper.make_model(
        onnx.helper.make_graph(
            graph.nodes, "fastmlp", [_describe(graph, "X", len(content.coefs[0]))], outputs,
            graph.constants,
        ),
        opset_imports=[onnx.helper.make_opsetid("", OPSET)],
        producer_name="fastmlp",
        ir_version=8,
    )  # fmt: skip
    onnx.checker.check_model(model)
    return model


def _predict(graph: Graph, content: Content, units: str) -> list[Any]:
    """Finish a regressor."""
    output, n_columns = OUTPUT_FUNCTIONS[content.output], content.coefs[-1].shape[1]
    if output.every > 1:
        bounds = (0, n_columns, 1, output.every)  # the first, the end, which axis, the step
        units = graph.add("Slice", units, *(graph.constant([one], np.int64) for one in bounds))
    graph.add(output.onnx, units, name="variable")
    return [_describe(graph, "variable", n_columns // output.every)]


def _describe(graph: Graph, name: str, n_columns: int | None, kind: str = "FLOAT") -> Any:
    """Describe an input or output."""
    shape: list[Any] = [BATCH] if n_columns is None else [BATCH, n_columns]
    number = getattr(graph.onnx.TensorProto, kind)
    return graph.onnx.helper.make_tensor_value_info(name, number, shape)


def _classify(graph: Graph, content: Content, units: str) -> list[Any]:
    """Finish a classifier."""
    classes, n_columns = content.fitted["classes_"], content.coefs[-1].shape[1]
    if content.output == "softmax":
        graph.add("Softmax", units, axis=1, name="probabilities")
        which = graph.add("ArgMax", "probabilities", axis=1, keepdims=0)
        return [_label(graph, classes, which), _describe(graph, "probabilities", n_columns)]
    likely = graph.add("Sigmoid", units)
    codes = graph.add("Cast", graph.add("Greater", likely, graph.constant(0.5)), to=7)  # int64
    if content.fitted.get("kind") == "multilabel":
        graph.add("Identity", likely, name="probabilities")
        graph.add("Identity", codes, name="label")
        shown = _describe(graph, "label", n_columns, "INT64")
        return [shown, _describe(graph, "probabilities", n_columns)]
    other = graph.add("Sub", graph.constant(1.0), likely)
    graph.add("Concat", other, likely, axis=1, name="probabilities")
    which = graph.add("Reshape", codes, graph.constant([-1], np.int64))
    return [_label(graph, classes, which), _describe(graph, "probabilities", 2)]


def _label(graph: Graph, classes: Any, which: str) -> Any:
    """Look the labels up; one class alone stands for both outcomes, as in `Labels.decode`."""
    kind = next((kind for kind, (_, holds) in LABELS.items() if holds(classes)), None)
    if kind is None:
        rule = "whole numbers, floats or strings that ONNX has"
        got = f"{classes[:2].tolist()} of dtype {classes.dtype}, among others"
        raise invalid("classes_", rule, got, "Fit with y as numbers or strings.")
    table = graph.constant(np.resize(classes, max(2, len(classes))), LABELS[kind][0])
    graph.add("Gather", table, which, axis=0, name="label")
    return _describe(graph, "label", None, kind)


def _are_strings(classes: Any) -> bool:
    """Tell whether all are strings that UTF-8 can write."""
    return all(
        isinstance(label, str) and label.encode(errors="ignore").decode() == label
        for label in classes.tolist()
    )


LABELS: dict[str, tuple[Any, Callable[[Any], bool]]] = {
    "INT64": (
        np.int64,
        lambda classes: classes.dtype.kind in "biu" and classes.max() <= np.iinfo(np.int64).max,
    ),
    "UINT64": (np.uint64, lambda classes: classes.dtype.kind == "u"),
    "FLOAT": (np.float32, lambda classes: classes.dtype.char in "ef"),
    "DOUBLE": (np.float64, lambda classes: classes.dtype.char == "d"),
    "STRING": (object, _are_strings),
}
"""ONNX's types of labels: NumPy's for each, and whether it holds some classes exactly."""
