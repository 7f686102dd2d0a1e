"""Models outside of training: compiled functions, and files for other runtimes."""

from keras_video._lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    attributes={
        "CalibrationWarning": "calibration",
        "ExportCheck": "check_export",
        "ExportError": "export_error",
        "ExportReport": "export_report",
        "calibration_samples": "calibration",
        "check_export": "check_export",
        "export_model": "export_model",
        "make_inference_function": "inference_function",
    },
)
