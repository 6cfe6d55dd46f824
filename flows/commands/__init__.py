"""The command line, `papers`: what each command says on a terminal."""
