"""What CloudFormation is sent, held against what AWS documents and no linter knows."""
