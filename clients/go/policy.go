package ocr

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"ocr-grpc/clients/go/ocrv1"
)

// ServiceConfig is the policy of retries and deadlines, as gRPC takes it: the copy of
// protos/ocr_grpc/v1/service_config.json that this client uses.
//
//go:embed service_config.json
var ServiceConfig string

// jitter is by which part pauses differ at random, so that many callers do not come back at once.
const jitter = 0.2

// A policy says how often a call is made at most, and how long to pause in between.
type policy struct {
	attempts   int
	initial    time.Duration
	max        time.Duration
	multiplier float64
}

// uploads is the policy of what gRPC cannot send again by itself: it does not keep the document.
var uploads = policyOf(ServiceConfig, ocrv1.OcrService_ServiceDesc.ServiceName, "UploadExtract")

// pause returns how long to wait before the next attempt, after some that failed (from 1).
func (p policy) pause(failures int) time.Duration {
	grown := float64(p.initial) * math.Pow(p.multiplier, float64(failures-1))
	return time.Duration(min(grown, float64(p.max)) * (1 - jitter + 2*jitter*rand.Float64()))
}

type methodName struct {
	Service string `json:"service"`
	Method  string `json:"method"`
}

type methodConfig struct {
	Name        []methodName `json:"name"`
	RetryPolicy struct {
		MaxAttempts       int      `json:"maxAttempts"`
		InitialBackoff    duration `json:"initialBackoff"`
		MaxBackoff        duration `json:"maxBackoff"`
		BackoffMultiplier float64  `json:"backoffMultiplier"`
	} `json:"retryPolicy"`
}

// A duration is written such as `0.2s`.
type duration time.Duration

// UnmarshalText reads it.
func (d *duration) UnmarshalText(text []byte) error {
	parsed, err := time.ParseDuration(string(text))
	*d = duration(parsed)
	return err
}

// policyOf returns the policy of a method; it must have one of its own.
func policyOf(config, service, method string) policy {
	var parsed struct {
		MethodConfig []methodConfig `json:"methodConfig"`
	}
	if err := json.Unmarshal([]byte(config), &parsed); err != nil {
		panic(fmt.Sprintf("ocr: service_config.json: %v", err))
	}
	for _, each := range parsed.MethodConfig {
		if slices.Contains(each.Name, methodName{service, method}) {
			retry := each.RetryPolicy
			return policy{
				attempts:   retry.MaxAttempts,
				initial:    time.Duration(retry.InitialBackoff),
				max:        time.Duration(retry.MaxBackoff),
				multiplier: retry.BackoffMultiplier,
			}
		}
	}
	panic("ocr: service_config.json says nothing of " + method)
}
