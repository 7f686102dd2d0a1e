"""ActionLSTM."""
