"""What passed between the chain and its members: reactions to offers."""
