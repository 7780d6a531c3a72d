"""Which tiles of a release are for training, validation and test, and whether anything leaks between them."""
