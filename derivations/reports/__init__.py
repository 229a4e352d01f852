"""What each command says: from its results to a document for readers, and to a record for programs."""
