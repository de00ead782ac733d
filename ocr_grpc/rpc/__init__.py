"""The servicers and what stands between them and the domain."""
