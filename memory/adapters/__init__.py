"""What stands behind the ports: every library of the edge, each in a module of its own.

detection (Presidio), onnx_encoder, key_* (file, PKCS#11, KMS, Vault), sql (SQLAlchemy),
chroma_index, residue_scan, backup, data_folder.

Rules:
- No library reports to anyone. onnxruntime 1.29 and later does by default, from the moment it is
  imported (an id of the machine on disk, events over HTTPS); the one switch that stops all of it
  is read at that moment, so it is set here, before any adapter can import it.
"""

import os

os.environ["ORT_DISABLE_TELEMETRY"] = "1"
