"""Tests of data that need not fit in memory."""
