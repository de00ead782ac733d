// Package ocr is a client of ocr_grpc: a document goes in, its text comes out while it is read.
//
//	client, err := ocr.Connect("127.0.0.1:50051", ocr.WithPlaintext(), ocr.WithAPIKey(key))
//	…
//	defer client.Close()
//	for event, err := range client.Extract(ctx, ocr.File("scan.pdf"), nil) {
//		if err != nil {
//			return err
//		}
//		fmt.Print(event.GetDelta().GetText())
//	}
//
// A [Client] has what takes more than one call: uploads of any size, streams that go on after a
// broken connection, batches, sessions. Everything else are the stubs in its fields; package ocrv1
// is the contract. Calls fail with an [*Error].
package ocr
