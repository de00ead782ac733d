"""Workbooks and separated values: a sheet is a page. Child only."""
