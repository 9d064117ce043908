"""Read uploaded files in a child process with limited time and memory."""
