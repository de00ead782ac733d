package ocr

import "time"

// Hurry makes the pauses between attempts short, until what it returns is called.
func Hurry() func() {
	before := uploads
	uploads.initial, uploads.max = time.Millisecond, 5*time.Millisecond
	return func() { uploads = before }
}

// Age has the access token of a client's session look as if it were about to expire.
func Age(client *Client) {
	session := client.credentials.session()
	session.mu.Lock()
	defer session.mu.Unlock()
	session.pair.renewal = time.Now()
}
