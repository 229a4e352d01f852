"""Recurrent cells and their gradients by hand, line by line, in plain Python, torch and JAX.

Every file here is independent: none imports the symbolic derivation, and none imports another. They
repeat one another on purpose, so that a mistake in one of them cannot hide in the rest; they are
what the derivation is checked against.

The notebook's scalar LSTM:           plain.py      with_torch.py    with_jax.py
The notebook's short-term memory:     rnn_plain.py  rnn_torch.py     rnn_jax.py
LSTM, RNN and GRU on batched vectors:               vector_torch.py  vector_jax.py
"""
