"""The overlay cache counters: the recorder that programs with an overlay cache use, and the counters' keys.

This package imports nothing but the standard library and redis.
"""

from parallel_ops_recorder.recorder import OverlayRecorder

__all__ = ["OverlayRecorder"]
