"""Trained networks in files of others' formats: safetensors, ONNX, PyTorch's state dicts.

- `content`: what a trained network is, whatever it is saved as;
- `encoding`: settings and small arrays as JSON; `file`: files that run no code when loaded;
- `onnx`, `torch`, `scikit_learn`: for other programs.
"""
