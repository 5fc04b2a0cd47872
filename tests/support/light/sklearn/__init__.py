"""In scikit-learn's place where a process that a test starts wants no more of it than the digits: its import takes a second."""
