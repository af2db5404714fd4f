// crictl answers the two calls that kind makes ("inspecti NAME" and "images"), by CRI.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
)

func main() {
	if err := answer(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "crictl:", err)
		os.Exit(1)
	}
}

func answer(args []string) error {
	connection, err := grpc.NewClient("unix:///run/containerd/containerd.sock",
		grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	images := cri.NewImageServiceClient(connection)
	switch {
	case len(args) == 2 && args[0] == "inspecti":
		return inspect(ctx, images, args[1])
	case len(args) >= 1 && args[0] == "images":
		return list(ctx, images)
	}
	return errors.New("only: inspecti NAME | images")
}

func inspect(ctx context.Context, images cri.ImageServiceClient, name string) error {
	response, err := images.ImageStatus(ctx, &cri.ImageStatusRequest{Image: &cri.ImageSpec{Image: name}})
	if err != nil {
		return err
	}
	if response.Image == nil {
		return fmt.Errorf("no such image %q present", name)
	}
	encoder := json.NewEncoder(os.Stdout)
	encoder.SetIndent("", "  ")
	return encoder.Encode(map[string]any{"status": map[string]any{
		"id":          response.Image.Id,
		"repoTags":    response.Image.RepoTags,
		"repoDigests": response.Image.RepoDigests,
		"size":        fmt.Sprint(response.Image.Size),
	}})
}

func list(ctx context.Context, images cri.ImageServiceClient) error {
	response, err := images.ListImages(ctx, &cri.ListImagesRequest{})
	if err != nil {
		return err
	}
	for _, image := range response.Images {
		fmt.Printf("%v\t%.19s\t%.1fMB\n", image.RepoTags, image.Id, float64(image.Size)/1e6)
	}
	return nil
}
