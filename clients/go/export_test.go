package ocr

import "time"

// Age has the access token of a client's session look as if it were about to expire.
func Age(client *Client) {
	session := client.credentials.session()
	session.mu.Lock()
	defer session.mu.Unlock()
	session.pair.renewal = time.Now()
}
