"""The trail as evidence: canonical bytes, RFC 6962 tree, signed checkpoints, keys and sealing. No SQL, no clock."""
