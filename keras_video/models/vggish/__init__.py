"""AttentionLSTM."""
