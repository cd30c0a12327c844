"""What a picture looks like as a whole: perceptual hashes, colours, an embedding; features are local beside them."""
