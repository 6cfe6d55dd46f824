"""What a wiped machine cannot make again, sealed and kept on a branch of a git repository."""
