"""How numba compiles a function that only compiled functions call: as far as they need it.

numba optimises each function together with all that it calls, turns both into machine code, and
does it again inside every caller: some hundred times for one kernel. Here an inner function becomes
LLVM's bitcode and no more; the entry that everything is linked into is optimised, once. A kernel
compiles in half the time, and the code is the same or better.
"""

from typing import Any

from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import CompilerBase
from numba.core.compiler_machinery import register_pass
from numba.core.typed_passes import NativeLowering

from fastmlp.kernels.kinds import stages_with_kinds


class InnerLibrary(JITCodeLibrary):
    """The bitcode of a function and of those that it calls."""

    def finalize(self):
        """Link what the function calls."""
        for library in dict.fromkeys(self._linking_libraries):
            self._reload_init.update(library._reload_init)
            self._final_module.link_in(library._get_module_for_linking(), preserve=True)
        self._finalized = True


@register_pass(mutates_CFG=True, analysis_only=False)
class InnerLowering(NativeLowering):
    """The stage that makes LLVM's code of a function whose types are known."""

    _name = "fastmlp_inner_lowering"

    def run_pass(self, state):
        """Make the code, and make it known to the functions that call it."""
        state.library = InnerLibrary(state.targetctx.codegen(), state.func_id.func_qualname)
        state.flags.no_compile = True
        super().run_pass(state)
        # What a caller's types are looked up by; it must be a built-in function and is not called.
        stand_in: Any = {}.__getitem__
        state.targetctx.insert_user_function(stand_in, state.cr.fndesc, [state.library])
        state.cr = state.cr._replace(cfunc=stand_in)
        return True


class InnerCompiler(CompilerBase):
    """numba's stages with `InnerLowering` among them."""

    def define_pipelines(self):
        """List the stages."""
        stages = stages_with_kinds(self.state)
        stages.passes = [
            (InnerLowering if stage is NativeLowering else stage, description)
            for stage, description in stages.passes
        ]
        stages.finalize()
        return [stages]
