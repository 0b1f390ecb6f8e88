"""Overlay cache counters: the recorder that programs with an overlay cache use, and the reader of a window.

This package and the recorder import nothing but the standard library and redis.
"""

from parallel_ops_recorder.recorder import OverlayRecorder

__all__ = ["OverlayRecorder"]
