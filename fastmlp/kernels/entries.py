"""How numba compiles a function that Python calls, with all that it calls in it.

numba lets LLVM go over each function, then over the whole in haste, to pair the counts of
references that it can leave out, then over the whole at leisure. Kernels count no references: they
are gone over once, as a compiler of C would, which also makes faster steps of narrow networks.
Nor do they gain from loops that are unrolled or functions that are inlined unasked: vectors fill
the loops that matter, and what must be `inlined` says so.
"""

from llvmlite import binding as llvm
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import CompilerBase
from numba.core.compiler_machinery import register_pass
from numba.core.typed_passes import NativeLowering

from fastmlp.kernels.kinds import stages_with_kinds
from fastmlp.kernels.typing import remembering

INLINING_THRESHOLD = 140
"""How large a function may be that LLVM inlines unasked; its own number is 250.

That, and loops left as they are, spare a first fit a sixth of its time.
"""


class EntryLibrary(JITCodeLibrary):
    """The machine code of an entry."""

    def _optimize_functions(self, module):
        """Leave each function to the pass over the whole."""
        module.data_layout = self._codegen._data_layout

    def _optimize_final_module(self):
        """Go over the whole, once variables are values: inlining then sees how small it is."""
        options = llvm.create_pipeline_tuning_options(speed_level=3)
        options.loop_vectorization = True
        options.loop_unrolling = False
        options.inlining_threshold = INLINING_THRESHOLD
        builder = llvm.create_pass_builder(self._codegen._tm, options)
        early = llvm.create_new_module_pass_manager()
        early.add_sroa_pass()
        early.add_simplify_cfg_pass()
        for passes in (early, builder.getModulePassManager()):
            passes.run(self._final_module, builder)


@register_pass(mutates_CFG=True, analysis_only=False)
class EntryLowering(NativeLowering):
    """The stage that makes LLVM's code, and machine code of it."""

    _name = "fastmlp_entry_lowering"

    def run_pass(self, state):
        """Make the code."""
        state.library = EntryLibrary(state.targetctx.codegen(), state.func_id.func_qualname)
        state.library.enable_object_caching()
        return super().run_pass(state)


class EntryCompiler(CompilerBase):
    """numba's stages with `EntryLowering` among them."""

    def __init__(self, typing_context, *others, **named):
        super().__init__(remembering(typing_context), *others, **named)

    def define_pipelines(self):
        """List the stages."""
        return [stages_with_kinds(self.state, EntryLowering)]
