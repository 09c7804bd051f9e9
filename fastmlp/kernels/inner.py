"""How numba compiles a function that only compiled functions call: as far as they need it.

numba optimises each function together with all that it calls, turns both into machine code, and
does it again inside every caller: some hundred times for one kernel. Here an inner function becomes
LLVM's bitcode and no more; the entry that everything is linked into is optimised, once.

numba hands a tuple over as all the numbers in it, three hundred for a `task.Task`, and asks after
each call whether it raised. Here a tuple is one value, and kernels raise nothing. With what
`entries`, `typing`, `kinds` and `jit` spare, a first fit of 784-100-10 takes half of the processor
time.
"""

from functools import partial
from typing import Any

from numba.core import cgutils, config, ir
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import CompilerBase
from numba.core.compiler_machinery import register_pass
from numba.core.lowering import Lower
from numba.core.typed_passes import NativeLowering

from fastmlp.kernels.kinds import stages_with_kinds
from fastmlp.kernels.typing import remembering


class InnerLibrary(JITCodeLibrary):
    """The bitcode of a function, to be linked with `needed` where it is called."""

    @property
    def needed(self):
        """The function and all that it calls, and what those call."""
        return tuple(dict.fromkeys([self, *self._linking_libraries]))

    def _optimize_functions(self, module):
        """Leave it to the entry."""
        module.data_layout = self._codegen._data_layout

    def finalize(self):
        """Leave linking to the entry, too."""
        self._finalized = True


class WholeArguments:
    """Hands each argument over as one value; what numba asks of its `ArgPacker`.

    Parameters
    ----------
    context : numba target context
    kinds : sequence of numba types
    """

    def __init__(self, context, kinds):
        self.argument_types = tuple(map(context.get_value_type, kinds))

    def from_arguments(self, builder, arguments):
        """Turn arguments into values."""
        return list(arguments)

    def assign_names(self, arguments, names):
        """Name the arguments."""
        for argument, name in zip(arguments, names, strict=True):
            argument.name = name


def whole(context):
    """Make a target context in which functions take `WholeArguments`."""
    return context.subtarget(get_arg_packer=partial(WholeArguments, context))


class InnerLower(Lower):
    """Makes LLVM's code of a function that takes `WholeArguments`."""

    def setup_function(self, fndesc):
        """Declare the function."""
        usual, self.context = self.context, whole(self.context)
        super().setup_function(fndesc)
        self.context = usual

    def extract_function_arguments(self):
        """Read the arguments."""
        self.fnargs = list(self.call_conv.get_arguments(self.function))
        return self.fnargs

    def lower_binop(self, resty, expr, op):
        """Make the code of an operation, without numba's search for code of its own for constants.

        There is such for powers, which kernels do not raise numbers to.
        """
        expr.static_lhs = expr.static_rhs = ir.UNDEFINED
        return super().lower_binop(resty, expr, op)


def caller(fndesc, library):
    """Make what numba generates the calls of an inner function by.

    Parameters
    ----------
    fndesc : numba function descriptor
    library : InnerLibrary

    Returns
    -------
    callable
    """

    def call(context, builder, signature, arguments):
        function = whole(context).declare_function(builder.module, fndesc)
        result = cgutils.alloca_once(builder, function.args[0].type.pointee)
        code = builder.call(function, [result, builder.function.args[1], *arguments])
        if vars(config).get("BOUNDSCHECK"):  # nothing else raises
            with cgutils.if_unlikely(builder, builder.icmp_signed(">", code, code.type(0))):
                builder.ret(code)
        return context.get_returned_value(builder, fndesc.restype, builder.load(result))

    call.signature, call.libs = fndesc.argtypes, library.needed  # type: ignore[attr-defined]
    return call


@register_pass(mutates_CFG=True, analysis_only=False)
class InnerLowering(NativeLowering):
    """The stage that makes LLVM's code of a function whose types are known."""

    _name = "fastmlp_inner_lowering"
    lowering_class = InnerLower

    def run_pass(self, state):
        """Make the code, and make it known to the functions that call it."""
        state.library = InnerLibrary(state.targetctx.codegen(), state.func_id.func_qualname)
        state.flags.no_compile = True
        super().run_pass(state)
        # What a caller's types are looked up by; it must be a built-in function and is not called.
        stand_in: Any = {}.__getitem__
        call = caller(state.cr.fndesc, state.library)
        state.targetctx.insert_func_defn([(call, stand_in, call.signature)])
        state.cr = state.cr._replace(cfunc=stand_in)
        return True


class InnerCompiler(CompilerBase):
    """numba's stages with `InnerLowering` among them."""

    def __init__(self, typing_context, *others, **named):
        super().__init__(remembering(typing_context), *others, **named)

    def define_pipelines(self):
        """List the stages."""
        return [stages_with_kinds(self.state, InnerLowering)]
