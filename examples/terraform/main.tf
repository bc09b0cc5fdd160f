# The nightly run of trailhouse as a stack of CloudFormation inside Terraform: the template stays trailhouse's own,
# and Terraform decides when it is deployed. README.md has the steps.

terraform {
  required_version = ">= 1.5"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.0"
    }
  }
}

variable "stack" {
  description = "Name of the stack: the one that the configuration of trailhouse says (`stack:`)."
  type        = string
  default     = "trailhouse"
}

variable "code_bucket" {
  description = "Bucket in the region of the stack, for template and package. It has to exist."
  type        = string
}

variable "template" {
  description = "What `trailhouse template --output` wrote."
  type        = string
  default     = "template.json"
}

variable "package" {
  description = "What `trailhouse template --package` wrote."
  type        = string
  default     = "function.zip"
}

variable "tags" {
  description = "Tags of the stack, which hands them on to its parts."
  type        = map(string)
  default     = {}
}

# A new package has a new key: only then does CloudFormation give it to the function.
resource "aws_s3_object" "package" {
  bucket = var.code_bucket
  key    = "${var.stack}/${filesha256(var.package)}.zip"
  source = var.package
}

# By address, for a template with many sources may be larger than a request.
resource "aws_s3_object" "template" {
  bucket       = var.code_bucket
  key          = "${var.stack}/${filesha256(var.template)}.json"
  source       = var.template
  content_type = "application/json"
}

data "aws_s3_bucket" "code" {
  bucket = var.code_bucket
}

resource "aws_cloudformation_stack" "trailhouse" {
  name         = var.stack
  template_url = "https://${data.aws_s3_bucket.code.bucket_regional_domain_name}/${aws_s3_object.template.key}"

  parameters = {
    CodeBucket = var.code_bucket
    CodeKey    = aws_s3_object.package.key
  }

  # The role of the runs has a name that is known beforehand, for policies of buckets in other accounts.
  capabilities       = ["CAPABILITY_NAMED_IAM"]
  tags               = var.tags
  timeout_in_minutes = 30
}

output "trailhouse" {
  description = "State machine, function, role, topic, bucket for output, workgroup."
  value       = aws_cloudformation_stack.trailhouse.outputs
}
