"""Which kind of named tuple a kernel is given, known while it is compiled.

Dense features and sparse ones, say, are tuples of other fields: of two branches only the one that
suits the type compiles. numba drops a branch before it infers types where the condition is a
constant by then, so the question is answered, and made a constant, before that.
"""

from numba.core import ir
from numba.core.compiler import DefaultPassBuilder
from numba.core.compiler_machinery import FunctionPass, register_pass
from numba.core.errors import CompilerError
from numba.core.ir_utils import get_definition, guard
from numba.core.typed_passes import NativeLowering
from numba.core.untyped_passes import RewriteSemanticConstants


def is_a(value, kind):
    """Tell whether a parameter of a kernel is of a class of named tuples.

    Parameters
    ----------
    value : NamedTuple or ()
        A parameter of the kernel that asks, which it does not assign to.
    kind : type
        A class of named tuples.

    Returns
    -------
    bool
    """
    return isinstance(value, kind)


@register_pass(mutates_CFG=True, analysis_only=False)
class Kinds(FunctionPass):
    """The stage that turns each call of `is_a` into a constant."""

    _name = "fastmlp_kinds"

    def __init__(self):
        FunctionPass.__init__(self)

    def run_pass(self, state):
        """Look through all statements; tell whether one was changed."""
        assignments = [
            statement
            for block in state.func_ir.blocks.values()
            for statement in block.find_insts(ir.Assign)
        ]
        questions = [one for one in assignments if _asks(state.func_ir, one.value)]
        for question in questions:
            _replace(state.func_ir, question, _answer(state, question.value))
        for one in assignments:  # numba knows no type of the function, which nothing calls now
            if isinstance(one.value, ir.Global) and one.value.value is is_a:
                _replace(state.func_ir, one, None)
        return bool(questions)


def _asks(func_ir, value):
    """Tell whether an expression is a call of `is_a`."""
    if not (isinstance(value, ir.Expr) and value.op == "call"):
        return False
    function = guard(get_definition, func_ir, value.func)
    return getattr(function, "value", None) is is_a


def _replace(func_ir, statement, constant):
    """Assign a constant instead."""
    definitions = func_ir._definitions[statement.target.name]
    number = definitions.index(statement.value)
    statement.value = definitions[number] = ir.Const(constant, statement.loc)


def _answer(state, call):
    """Compare the type of an argument with the class that is asked for."""
    argument, kind = (guard(get_definition, state.func_ir, part) for part in call.args)
    if not isinstance(argument, ir.Arg):
        raise CompilerError("is_a takes a parameter of the kernel that calls it", call.loc)
    found = state.args[argument.index]
    return getattr(found, "instance_class", None) is kind.value  # that of () is none


WITHOUT_USE = {
    "AnnotateTypes", "DumpParforDiagnostics", "FindLiterallyCalls", "InlineClosureLikes",
    "InlineInlinables", "InlineOverloads", "LiteralPropagationSubPipelinePass", "LiteralUnroll",
    "MakeFunctionToJitFunction", "NoPythonSupportedFeatureValidation", "NopythonRewrites",
    "RewriteDynamicRaises", "WithLifting",
}  # fmt: skip
"""numba's stages that look for what kernels do not have: closures, array expressions, literals,
exceptions, `with`. They take a tenth of the time."""


def stages_with_kinds(state, lowering):
    """List numba's stages, `Kinds` among them.

    Parameters
    ----------
    state : StateDict
        Of a compiler.
    lowering : class
        The stage to lower functions by.

    Returns
    -------
    PassManager
    """
    stages = DefaultPassBuilder.define_nopython_pipeline(state)
    stages.add_pass_after(Kinds, RewriteSemanticConstants)
    stages.passes = [
        (lowering if stage is NativeLowering else stage, description)
        for stage, description in stages.passes
        if stage.__name__ not in WITHOUT_USE
    ]
    stages._ENFORCING = False  # each stage leaves what the next needs; numba makes sure of it again
    stages.finalize()
    return stages
