"""Generates the OpenAPI document and the archive of protos that the HTTP door serves.

A step of the build (`make openapi`): the service itself never imports it. What is called how comes
from the generated modules, so that the document holds what the server has; only the comments come
from protos/, which must lie beside the package.
"""
