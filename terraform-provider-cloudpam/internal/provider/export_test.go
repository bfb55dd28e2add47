package provider

// LengthFor is what a resize by hosts plans; a test compares it with the server.
var LengthFor = lengthFor
